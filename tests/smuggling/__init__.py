"""Requests that two servers could read differently, sent to Yett and to its peers."""
