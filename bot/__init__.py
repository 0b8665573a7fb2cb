"""Weaver's core: questions, experts, communities and knowledge, told apart from any chat platform."""
