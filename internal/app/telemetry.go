package app

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Build says which program this is.
type Build struct{ Version, Commit string }

// telemetry is where figures and traces go.
type telemetry struct {
	registry *prometheus.Registry
	tracing  trace.TracerProvider // nil: none
	stop     func(context.Context) error
}

func newTelemetry(ctx context.Context, cfg Config, b Build) (*telemetry, error) {
	t := &telemetry{registry: prometheus.NewRegistry(), stop: func(context.Context) error { return nil }}
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "koipond_build_info", Help: "Always 1; the labels say which program runs."}, []string{"version", "commit"})
	info.WithLabelValues(b.Version, b.Commit).Set(1)
	for _, c := range []prometheus.Collector{collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), info} {
		if err := t.registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	if cfg.TracesEndpoint == "" {
		return t, nil
	}
	exp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(cfg.TracesEndpoint+"/v1/traces"))
	if err != nil {
		return nil, fmt.Errorf("traces.endpoint: %w", err)
	}
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exp), sdktrace.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "koipond"), attribute.String("service.version", b.Version))))
	t.tracing, t.stop = p, p.Shutdown
	return t, nil
}
