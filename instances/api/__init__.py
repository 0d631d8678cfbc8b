"""The faces of instances: the newer and the older llamactl document, over the same services."""
