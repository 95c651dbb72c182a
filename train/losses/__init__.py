"""What training minimises: one equation, one function. A module for each family of terms."""
