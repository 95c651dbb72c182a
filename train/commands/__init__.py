"""The verbs of `haustra-train`, one a module. Heavy imports happen when a verb runs."""
