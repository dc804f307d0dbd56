"""What the commands that read log files share: which files, which events, how they are shown.

directories.py finds the files, times.py and conditions.py read what the options say, wanted.py
asks of each line whether it was asked for, events.py yields those lines, output.py writes.
"""
