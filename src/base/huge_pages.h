// SPDX-License-Identifier: Apache-2.0
// Big tables that are read at random wait less for the memory when its pages are huge.
#pragma once

namespace claviger {

/// Moves what has been allocated so far to pages of 2 MiB, where it is more than a few of them;
/// takes about 4 ms for each MiB. A kernel that cannot (MADV_COLLAPSE came with Linux 6.1) may do
/// it later by itself, or not at all: nothing depends on it but the speed. The heap that is grown
/// by brk(2) is moved only, which is the main thread's.
void move_heap_to_huge_pages();

} // namespace claviger
