"""Which stages does a sales process have, in which order, in which of its versions (PROC-1)?"""
