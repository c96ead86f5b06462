"""What people read: terminal reports, pictures, files."""
