package sipstream

// Known is how many entries the tables of connections have.
func (s *Set) Known() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) + len(s.byPeer) + len(s.bySource)
}
