package contact

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Money is an amount in minor units of an ISO currency.
type Money struct {
	Amount   int64  `json:"amount" doc:"minor units, e.g. cents"`
	Currency string `json:"currency" doc:"ISO 4217"`
}

// Revenue is what a contact's orders come to in one currency, refunds taken off.
type Revenue struct {
	Currency string `json:"c"`
	Orders   int64  `json:"n"`
	Amount   int64  `json:"a"`
}

func decodeRevenue(s string) ([]Revenue, error) {
	if s == "" {
		return nil, nil
	}
	var out []Revenue
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		return nil, fmt.Errorf("decode revenue: %w", err)
	}
	return out, nil
}

func encodeRevenue(rs []Revenue) (string, error) {
	if len(rs) == 0 {
		return "", nil
	}
	rs = slices.Clone(rs)
	slices.SortFunc(rs, func(a, b Revenue) int { return strings.Compare(a.Currency, b.Currency) })
	b, err := json.Marshal(rs)
	if err != nil {
		return "", fmt.Errorf("encode revenue: %w", err)
	}
	return string(b), nil
}

// addRevenue adds two encoded revenues, currency by currency.
func addRevenue(a, b string) (string, error) {
	if b == "" || a == "" {
		return a + b, nil
	}
	as, err := decodeRevenue(a)
	if err != nil {
		return "", err
	}
	bs, err := decodeRevenue(b)
	if err != nil {
		return "", err
	}
next:
	for _, r := range bs {
		for i := range as {
			if as[i].Currency == r.Currency {
				as[i].Orders += r.Orders
				as[i].Amount += r.Amount
				continue next
			}
		}
		as = append(as, r)
	}
	return encodeRevenue(as)
}
