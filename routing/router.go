package routing

import (
	"sync/atomic"
	"time"

	"github.com/outdial/outdial"
)

// Router is the table in force, which can be replaced while calls are routed. Reads take no lock. All methods are safe
// for concurrent use; the zero value holds no table and refuses with ErrNoTable.
type Router struct {
	table atomic.Pointer[Table]
}

var (
	_ outdial.Router = (*Router)(nil)
	_ outdial.Router = (*Table)(nil)
)

// NewRouter returns a Router that holds t; nil is no table.
func NewRouter(t *Table) *Router {
	r := new(Router)
	r.table.Store(t)
	return r
}

// Table returns the table in force, or nil.
func (r *Router) Table() *Table { return r.table.Load() }

// Swap puts t in force and returns the table that was, for going back to it. Each Admit and each Route answers wholly
// from one table. The old table stays valid for calls that are just reading it.
func (r *Router) Swap(t *Table) (old *Table) { return r.table.Swap(t) }

// Admit implements outdial.Router with the table in force.
func (r *Router) Admit(now time.Time, call *outdial.Call) (again time.Time, err error) {
	if t := r.table.Load(); t != nil {
		return t.Admit(now, call)
	}
	return time.Time{}, ErrNoTable
}

// Route implements outdial.Router with the table in force.
func (r *Router) Route(now time.Time, call *outdial.Call, dst []outdial.Candidate) ([]outdial.Candidate, error) {
	if t := r.table.Load(); t != nil {
		return t.Route(now, call, dst)
	}
	return dst, ErrNoTable
}
