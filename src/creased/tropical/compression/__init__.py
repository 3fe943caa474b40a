"""The same function by fewer neurons: stable units are found by proof and removed, with a certificate."""
