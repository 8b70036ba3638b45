#pragma once

// CUDA's own name for what work is put into: a pointer, also where there is no CUDA.
struct CUstream_st;

namespace minifloat {

using Stream = CUstream_st*;

}  // namespace minifloat
