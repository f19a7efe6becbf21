package admin

// Routes are the operations that are served.
func Routes() (all []string) {
	for _, r := range routes() {
		all = append(all, r.method+" "+r.path)
	}
	return all
}
