package main

import (
	"fmt"
	"strings"
)

// What stands between these lines is generated; the rest of the document is written by hand.
const (
	begin = "<!-- ratios: begin -->"
	end   = "<!-- ratios: end -->"
)

// splice puts text between the markers of a document, which must have each once and in order.
func splice(document, text string) (string, error) {
	if strings.Count(document, begin) != 1 || strings.Count(document, end) != 1 {
		return "", fmt.Errorf("want the lines %s and %s once each", begin, end)
	}
	head, rest, _ := strings.Cut(document, begin)
	_, tail, ok := strings.Cut(rest, end)
	if !ok {
		return "", fmt.Errorf("%s stands before %s", end, begin)
	}
	return head + begin + "\n\n" + strings.TrimSpace(text) + "\n\n" + end + tail, nil
}
