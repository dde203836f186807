"""The steps of a proof: experiments with a known truth, drawn many times and analysed."""
