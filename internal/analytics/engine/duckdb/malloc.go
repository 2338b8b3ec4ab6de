package duckdb

// #include <stdlib.h>
// #if defined(__GLIBC__)
// #include <malloc.h>
// static void tame_malloc(void) {
//   mallopt(M_ARENA_MAX, 2);
//   mallopt(M_MMAP_THRESHOLD, 128 << 10);
//   mallopt(M_TRIM_THRESHOLD, 128 << 10);
// }
// #else
// static void tame_malloc(void) {}
// #endif
import "C"

import "sync"

// tameMalloc keeps the C library's allocator small: by default it opens an arena
// for nearly every thread that calls into DuckDB and keeps what was freed in
// each, and after the first large block it serves large blocks from them too.
var tameMalloc = sync.OnceFunc(func() { C.tame_malloc() })
