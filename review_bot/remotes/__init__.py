"""What lies elsewhere: charts, artifacts and repositories, fetched as the operator allows and by pinned revision."""
