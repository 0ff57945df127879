"""Every example, started as its README says and used."""
