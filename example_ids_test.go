package outdial_test

import (
	"fmt"

	"github.com/outdial/outdial"
)

// Every package resolves the names of its configuration with the same registry, and then compares integers.
func ExampleTrunkID() {
	var ids outdial.Registry
	east := ids.Trunks.ID("alpha-east")
	same, known := ids.Trunks.Lookup("alpha-east")
	_, unheard := ids.Trunks.Lookup("beta")
	fmt.Println(same == east, known, unheard)
	// Output:
	// true true false
}

func ExampleCarrierID() {
	var ids outdial.Registry
	c := outdial.Candidate{Trunk: ids.Trunks.ID("alpha-east"), Carrier: ids.Carriers.ID("alpha")}
	fmt.Println(ids.Carriers.Name(c.Carrier))
	// Output:
	// alpha
}

func ExamplePoolID() {
	var ids outdial.Registry
	fmt.Println(ids.Pools.ID("sales-chicago"), ids.Pools.ID(""), "is none")
	// Output:
	// 1 0 is none
}

func ExampleProgramID() {
	var ids outdial.Registry
	call := outdial.Call{To: 12125550123, Program: ids.Programs.ID("sales")}
	fmt.Println(ids.Programs.Name(call.Program))
	// Output:
	// sales
}

func ExampleCampaignID() {
	var ids outdial.Registry
	call := outdial.Call{To: 12125550123, Campaign: ids.Campaigns.ID("spring")}
	fmt.Println(ids.Campaigns.Name(call.Campaign))
	// Output:
	// spring
}

func ExampleTenantID() {
	var ids outdial.Registry
	call := outdial.Call{To: 12125550123, Tenant: ids.Tenants.ID("acme")}
	fmt.Println(ids.Tenants.Name(call.Tenant))
	// Output:
	// acme
}

func ExampleTagID() {
	var ids outdial.Registry
	fmt.Println(ids.Tags.Name(ids.Tags.ID("callback")))
	// Output:
	// callback
}

// What the host knows of a call beside its campaign stands in tags; rules and overrides of routing go by them.
func ExampleTags() {
	var ids outdial.Registry
	call := outdial.Call{To: 12125550123}
	call.Tags.Add(ids.Tags.ID("callback"))
	call.Tags.Add(ids.Tags.ID("vip"))
	for tag := range call.Tags.All() {
		fmt.Println(ids.Tags.Name(tag))
	}
	fmt.Println(call.Tags.Has(ids.Tags.ID("vip")), call.Tags.Has(ids.Tags.ID("retry")))
	// Output:
	// callback
	// vip
	// true false
}

func ExampleNetworkID() {
	var ids outdial.Registry
	d := outdial.Destination{Network: ids.Networks.ID("verizon")}
	fmt.Println(ids.Networks.Name(d.Network))
	// Output:
	// verizon
}

// The built-in numbering plan judges destinations together by country and area code.
func ExampleGroupID() {
	ids := new(outdial.Registry)
	if _, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids}); err != nil {
		fmt.Println(err)
		return
	}
	manhattan, _ := ids.Groups.Lookup("US/212")
	fmt.Println(ids.Groups.Name(manhattan))
	// Output:
	// US/212
}

func ExampleDayPartID() {
	ids := new(outdial.Registry)
	_, err := outdial.NewNumberingPlan(outdial.NumberingConfig{IDs: ids, DayParts: []outdial.DayPart{{Name: "day", To: 24 * hour}}})
	id, known := ids.DayParts.Lookup("day")
	fmt.Println(id, known, err)
	// Output:
	// 1 true <nil>
}
