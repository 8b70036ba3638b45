"""How many instructions the kernels take: counted without torch, under valgrind."""
