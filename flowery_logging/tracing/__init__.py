"""Traces from and for others: headers, agents and their spans, request IDs, baggage."""
