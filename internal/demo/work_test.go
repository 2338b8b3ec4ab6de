package demo

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whoever gets customers works here, each department is somebody's, and every
// bucket of the board has something in it.
func TestWorkIsForStaff(t *testing.T) {
	byMail := map[string]member{}
	desks := map[string]bool{"": true}
	for _, m := range staff {
		byMail[m.Mail] = m
	}
	for _, d := range departments {
		require.True(t, desks[d.Parent], "%s comes after the one above", d.Name)
		require.Contains(t, byMail, d.Lead)
		desks[d.Name] = true
		require.True(t, slices.ContainsFunc(staff, func(m member) bool { return m.Department == d.Name }), "%s is empty", d.Name)
	}
	for _, m := range staff {
		require.True(t, desks[m.Department], m.Name)
	}
	known := map[string]bool{}
	for _, c := range channels {
		known[c.ID] = true
	}
	for _, s := range shares {
		require.Len(t, s.order, len(s.to))
		for _, mail := range s.order {
			require.Positive(t, s.to[mail])
			require.True(t, mail == "" || byMail[mail].Name != "", mail)
		}
		for _, c := range s.channels {
			require.True(t, known[c], c)
		}
	}

	f := &filler{o: options(t, 100)}
	today := f.o.midnight(f.o.End)
	r := stream(1, 1, 1)
	buckets := map[string]int{}
	for _, p := range week {
		at := f.at(r, p)
		switch {
		case p.done:
			buckets["done"]++
			require.True(t, at.Before(today.AddDate(0, 0, 1)))
		case at.Before(today):
			buckets["overdue"]++
		case at.Before(today.AddDate(0, 0, 1)):
			buckets["today"]++
		default:
			buckets["upcoming"]++
		}
		require.Less(t, at.Sub(today).Abs(), 30*24*time.Hour)
	}
	require.Len(t, buckets, 4)
	for b, n := range buckets {
		require.GreaterOrEqual(t, n, 2, b)
	}
}
