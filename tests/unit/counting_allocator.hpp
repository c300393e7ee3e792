// SPDX-License-Identifier: GPL-2.0-or-later
// Replaces the program's global allocation functions, to count what a piece of code allocates. Include it in one file
// of the program.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace untrombone::testing {

struct Allocations {
  std::size_t calls = 0;
  std::size_t bytes_held = 0;  ///< as the allocator rounds them
};
inline Allocations allocations;

inline void* count_allocation(std::size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  ++allocations.calls;
  allocations.bytes_held += malloc_usable_size(memory);
  return memory;
}
inline void count_release(void* memory) noexcept {
  if (memory == nullptr) return;
  allocations.bytes_held -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace untrombone::testing

// The global ones cannot be inline: a program includes this once.
// NOLINTBEGIN(misc-definitions-in-headers)
void* operator new(std::size_t size) { return untrombone::testing::count_allocation(size); }
void* operator new[](std::size_t size) { return untrombone::testing::count_allocation(size); }
void operator delete(void* memory) noexcept { untrombone::testing::count_release(memory); }
void operator delete[](void* memory) noexcept { untrombone::testing::count_release(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  untrombone::testing::count_release(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  untrombone::testing::count_release(memory);
}
// NOLINTEND(misc-definitions-in-headers)
