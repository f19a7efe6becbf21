module github.com/outdial/outdial/examples

go 1.26.0

require github.com/outdial/outdial v0.0.0

replace github.com/outdial/outdial => ../
