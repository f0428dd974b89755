"""What differs between two snapshots: connections, the objects that decide them, findings."""
