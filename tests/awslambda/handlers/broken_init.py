print("in init")
raise RuntimeError("init went wrong")
