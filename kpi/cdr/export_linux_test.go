package cdr

// WithAllocate returns cfg with mapped segments whose room is allocated by allocate.
func (cfg Config) WithAllocate(allocate func(fd int, mode uint32, off, n int64) error) Config {
	cfg.create = func(path string) (File, error) {
		f, err := createMapped(path, 4096)
		if err == nil {
			f.(*mapped).allocate = allocate
		}
		return f, err
	}
	return cfg
}
