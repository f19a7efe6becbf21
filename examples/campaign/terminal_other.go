//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package main

import "os"

// columnsOf cannot ask here: the width is not known, but for COLUMNS.
func columnsOf(*os.File) int { return 0 }
