"""What is lost and repeated when four processes write at full speed and Filebeat reads along."""
