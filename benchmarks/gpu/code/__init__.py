"""What nvcc has made of the kernels: instructions, counted, and what they let expect."""
