"""What an experiment can be expected to tell, before anybody is contacted."""
