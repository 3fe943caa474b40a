"""Pictures of docs/pictures about the package, its meshes and its trainings."""
