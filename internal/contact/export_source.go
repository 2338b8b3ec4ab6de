package contact

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// SourceColumn is a column that an ExportSource adds. The head of the file is its
// key, so that an import knows it again.
type SourceColumn struct{ Key, ZH, EN, Group string }

// ExportSource gives columns of an export that this package knows nothing of.
type ExportSource interface {
	ExportColumns(ctx context.Context) ([]SourceColumn, error)
	// ExportCells gives the cells of contacts by key of the column; what is left
	// out is empty.
	ExportCells(ctx context.Context, nums []int64, keys []string) (map[int64]map[string]string, error)
}

func (x *Exports) sourceColumns(ctx context.Context) ([]SourceColumn, error) {
	var out []SourceColumn
	for _, src := range x.Sources {
		list, err := src.ExportColumns(ctx)
		if err != nil {
			return nil, fmt.Errorf("columns of an export: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}

// sourceCells reads what the sources say of contacts, for the columns they have.
func (x *Exports) sourceCells(ctx context.Context, nums []int64, keys []string) (map[int64]map[string]string, error) {
	out := map[int64]map[string]string{}
	for _, src := range x.Sources {
		list, err := src.ExportColumns(ctx)
		if err != nil {
			return nil, fmt.Errorf("columns of an export: %w", err)
		}
		list = slices.DeleteFunc(list, func(c SourceColumn) bool { return !slices.Contains(keys, c.Key) })
		if len(list) == 0 {
			continue
		}
		asked := make([]string, len(list))
		for i, c := range list {
			asked[i] = c.Key
		}
		cells, err := src.ExportCells(ctx, nums, asked)
		if err != nil {
			return nil, fmt.Errorf("cells of an export: %w", err)
		}
		for n, c := range cells {
			if out[n] == nil {
				out[n] = map[string]string{}
			}
			maps.Copy(out[n], c)
		}
	}
	return out, nil
}
