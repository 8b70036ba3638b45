#pragma once

// What the host asks of CUDA's runtime: launches, memory and facts of a GPU; gpu.h includes this.

#include <cuda_runtime.h>

#include <map>
#include <stdexcept>
#include <string>
#include <tuple>

namespace minifloat {

inline void check(cudaError_t error) {
  if (error != cudaSuccess) {
    throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
  }
}

// Lets a kernel's blocks share so many bytes.
template <class... Parameters>
void allow_shared(void (*kernel)(Parameters...), int bytes) {
  if (bytes > 48 << 10) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
  }
}

// Runs a kernel when what was put into the stream before is done; does not wait for it.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Grid& grid, Stream stream,
            const Arguments&... arguments) {
  if (grid.blocks == 0) return;
  allow_shared(kernel, grid.shared_bytes);
  kernel<<<static_cast<unsigned>(grid.blocks), grid.threads, grid.shared_bytes, stream>>>(
      arguments...);
  check(cudaGetLastError());
}

inline void copy_memory(void* to, const void* from, std::int64_t bytes, Stream stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream));
}

inline void fill_memory(void* to, int byte, std::int64_t bytes, Stream stream) {
  check(cudaMemsetAsync(to, byte, bytes, stream));
}

// Of the device that is current.
inline int multiprocessor_count() {
  int device = 0, count = 0;
  check(cudaGetDevice(&device));
  check(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device));
  return count;
}

// Blocks of a kernel that a multiprocessor of that device runs at once. The driver is asked once.
template <class... Parameters>
int resident_blocks(void (*kernel)(Parameters...), int threads, int shared_bytes) {
  using Asked = std::tuple<void (*)(Parameters...), int, int, int>;
  thread_local std::map<Asked, int> known;
  int device = 0;
  check(cudaGetDevice(&device));
  int& blocks = known[Asked{kernel, threads, shared_bytes, device}];
  if (blocks == 0) {
    allow_shared(kernel, shared_bytes);
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, shared_bytes));
  }
  return blocks;
}

}  // namespace minifloat
