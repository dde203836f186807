"""Targeting: from an analysed experiment to who should be contacted, step by step."""
