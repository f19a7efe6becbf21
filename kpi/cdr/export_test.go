package cdr

// File is what a segment is appended to, for tests that make a disk fail.
type File = file

// WithFiles returns cfg with its segments opened by create.
func (cfg Config) WithFiles(create func(path string) (File, error)) Config {
	cfg.create = create
	return cfg
}

// Sizes of the format that tests cut and flip by.
const (
	HeaderSize  = headerSize
	RecordHead  = recordHead
	SummarySize = summarySize
	KindNames   = kindNames
)
