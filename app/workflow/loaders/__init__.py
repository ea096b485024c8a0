"""Batched reads of projects, their stages and reviews. All of a tenant read them."""
