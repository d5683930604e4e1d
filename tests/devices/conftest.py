"""The device and its runs are for a process of their own: importing them here would register it for all tests."""

collect_ignore = ["far_device.py", "far_runs.py"]
