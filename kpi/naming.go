package kpi

import "github.com/outdial/outdial"

// idsIn are the ids of a key that have names, in the order of the dimensions.
func idsIn(k *Key) [keptNames]*uint32 {
	return [keptNames]*uint32{
		(*uint32)(&k.Trunk), (*uint32)(&k.Carrier), (*uint32)(&k.Group), (*uint32)(&k.Pool), (*uint32)(&k.Program),
		(*uint32)(&k.Campaign), (*uint32)(&k.DayPart), (*uint32)(&k.Tenant), (*uint32)(&k.Network),
	}
}

// naming is how the ids of one kind have names.
type naming struct {
	name func(uint32) string
	id   func(string) uint32         // issued if there is none yet
	look func(string) (uint32, bool) // or not
}

// namings are those of the ids in a key, in the order of idsIn.
func namings(r *outdial.Registry) [keptNames]naming {
	return [keptNames]naming{
		namingOf(&r.Trunks), namingOf(&r.Carriers), namingOf(&r.Groups), namingOf(&r.Pools), namingOf(&r.Programs),
		namingOf(&r.Campaigns), namingOf(&r.DayParts), namingOf(&r.Tenants), namingOf(&r.Networks),
	}
}

func namingOf[ID ~uint32](n *outdial.Names[ID]) naming {
	return naming{
		name: func(id uint32) string { return n.Name(ID(id)) },
		id:   func(name string) uint32 { return uint32(n.ID(name)) },
		look: func(name string) (uint32, bool) {
			id, ok := n.Lookup(name)
			return uint32(id), ok
		},
	}
}
