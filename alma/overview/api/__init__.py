"""The read models of alumia-api.txt that span all apps, and its projects."""
