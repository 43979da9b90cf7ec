"""The consistency model: how far replicas trail (`lag`), and which reads only luck made current (`recent`)."""
