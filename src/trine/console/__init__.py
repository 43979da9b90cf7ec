"""What people look at: `door` answers signed requests of the commands below `/_trine/` on the AWS port."""
