"""The whole path with the real programs: log file, Filebeat, receiver, Elasticsearch."""
