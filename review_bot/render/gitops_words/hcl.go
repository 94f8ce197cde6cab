package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Deeper than this nobody writes, and what reads the answer would not follow.
const (
	deepest    = 100
	mostLabels = 5
)

// configuration is a file of Terraform's as its own parser reads it, or why it does not, and in which line.
type configuration struct {
	Blocks []block `json:"blocks"`
	Error  string  `json:"error,omitempty"`
	Line   int     `json:"line,omitempty"`
}

// block is one of the file's blocks; the file's own arguments are one without a type. In a body nested blocks are lists of
// bodies (with labels: lists of mappings from the label), literals are what they mean, other expressions a text `${…}`.
// Lines are pairs of a path into the body and its line.
type block struct {
	Type   string   `json:"type"`
	Labels []string `json:"labels"`
	Line   int      `json:"line"`
	Body   *mapping `json:"body"`
	Lines  [][2]any `json:"lines"`
}

// mapping keeps its keys in the order in which they came.
type mapping struct {
	keys   []string
	values map[string]any
}

func (m *mapping) set(key string, value any) {
	if _, known := m.values[key]; !known {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

func (m *mapping) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for number, key := range m.keys {
		if number > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.values[key])
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func newMapping() *mapping { return &mapping{values: map[string]any{}} }

// readHCL reads a file; `path` is what its parser calls it in what it says.
func readHCL(text, path string) configuration {
	source := []byte(text)
	if line := tooDeep(source); line > 0 {
		return configuration{Error: "it is nested too deeply to be read", Line: line}
	}
	file, problems := hclsyntax.ParseConfig(source, path, hcl.InitialPos)
	for _, problem := range problems {
		if problem.Severity == hcl.DiagError {
			return refused(problem)
		}
	}
	body := file.Body.(*hclsyntax.Body)
	reader := reader{source: source}
	own := block{Labels: []string{}, Line: 1, Body: newMapping(), Lines: [][2]any{}}
	reader.lines = &own.Lines
	reader.arguments(body, own.Body, nil)
	found := configuration{Blocks: []block{own}}
	for _, one := range body.Blocks {
		line := one.TypeRange.Start.Line
		read := block{Type: one.Type, Labels: append([]string{}, one.Labels...), Line: line}
		read.Lines = [][2]any{{[]any{}, line}}
		reader.lines = &read.Lines
		read.Body = reader.body(one.Body, nil)
		found.Blocks = append(found.Blocks, read)
	}
	if reader.problem != "" {
		return configuration{Error: reader.problem, Line: reader.line}
	}
	return found
}

func refused(problem *hcl.Diagnostic) configuration {
	found := configuration{Error: strings.TrimSuffix(problem.Summary, "."), Line: 1}
	if problem.Detail != "" {
		found.Error += ": " + problem.Detail
	}
	if problem.Subject != nil {
		found.Line = problem.Subject.Start.Line
	}
	return found
}

// tooDeep is the line at which more is open than anybody writes, 0 where there is none.
func tooDeep(source []byte) int {
	tokens, _ := hclsyntax.LexConfig(source, "", hcl.InitialPos)
	depth := 0
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
		if depth > deepest {
			return token.Range.Start.Line
		}
	}
	return 0
}

type reader struct {
	source  []byte
	lines   *[][2]any
	problem string
	line    int
}

func (r *reader) body(body *hclsyntax.Body, path []any) *mapping {
	found := newMapping()
	r.arguments(body, found, path)
	for _, one := range body.Blocks {
		line := one.TypeRange.Start.Line
		if _, argument := body.Attributes[one.Type]; argument {
			return r.refuse(one.Type+" is an argument and a block", line)
		}
		if len(one.Labels) > mostLabels {
			return r.refuse(fmt.Sprintf("a block %s has more than %d labels", one.Type, mostLabels), line)
		}
		same, _ := found.values[one.Type].([]any)
		place := below(path, one.Type, len(same))
		r.note(place, line)
		within := place
		for _, label := range one.Labels {
			within = below(within, label)
		}
		inner := r.body(one.Body, within)
		for _, label := range slices.Backward(one.Labels) {
			outer := newMapping()
			outer.set(label, inner)
			inner = outer
		}
		found.set(one.Type, append(same, inner))
	}
	return found
}

// refuse remembers what is wrong first.
func (r *reader) refuse(problem string, line int) *mapping {
	if r.problem == "" {
		r.problem, r.line = problem, line
	}
	return newMapping()
}

func (r *reader) arguments(body *hclsyntax.Body, found *mapping, path []any) {
	arguments := make([]*hclsyntax.Attribute, 0, len(body.Attributes))
	for _, argument := range body.Attributes {
		arguments = append(arguments, argument)
	}
	slices.SortFunc(arguments, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	for _, argument := range arguments {
		place := below(path, argument.Name)
		r.note(place, argument.SrcRange.Start.Line)
		found.set(argument.Name, r.value(argument.Expr, place))
	}
}

func (r *reader) value(expression hclsyntax.Expression, path []any) any {
	switch one := expression.(type) {
	case *hclsyntax.ParenthesesExpr:
		return r.value(one.Expression, path)
	case *hclsyntax.TemplateWrapExpr:
		return r.value(one.Wrapped, path)
	case *hclsyntax.LiteralValueExpr:
		return literal(one.Val)
	case *hclsyntax.UnaryOpExpr:
		if number, ok := one.Val.(*hclsyntax.LiteralValueExpr); ok && one.Op == hclsyntax.OpNegate {
			if value, problems := one.Value(nil); !problems.HasErrors() && number.Val.Type() == cty.Number {
				return literal(value)
			}
		}
	case *hclsyntax.TemplateExpr:
		return r.template(one.Parts, false)
	case *hclsyntax.TupleConsExpr:
		items := make([]any, len(one.Exprs))
		for number, item := range one.Exprs {
			place := below(path, number)
			r.note(place, item.Range().Start.Line)
			items[number] = r.value(item, place)
		}
		return items
	case *hclsyntax.ObjectConsExpr:
		found := newMapping()
		for _, item := range one.Items {
			name := r.key(item.KeyExpr)
			place := below(path, name)
			r.note(place, item.KeyExpr.Range().Start.Line)
			found.set(name, r.value(item.ValueExpr, place))
		}
		return found
	}
	return "${" + r.text(expression) + "}"
}

// key is the name of an object's element: a plain one, a text, or an expression as such.
func (r *reader) key(expression hclsyntax.Expression) string {
	key, ok := expression.(*hclsyntax.ObjectConsKeyExpr)
	if ok && !key.ForceNonLiteral {
		if name := hcl.ExprAsKeyword(key.Wrapped); name != "" {
			return name
		}
		switch name := r.value(key.Wrapped, nil).(type) {
		case string:
			return name
		case json.RawMessage:
			return string(name)
		}
	}
	if ok {
		expression = key.Wrapped
	}
	if inner, parenthesised := expression.(*hclsyntax.ParenthesesExpr); parenthesised {
		expression = inner.Expression
	}
	return "${" + r.text(expression) + "}"
}

func literal(value cty.Value) any {
	switch {
	case value.IsNull():
		return nil
	case value.Type() == cty.Bool:
		return value.True()
	case value.Type() == cty.Number:
		if text := numeral(value.AsBigFloat()); len(text) < 1000 && exact(text) {
			return json.RawMessage(text)
		}
		return "${" + numeral(value.AsBigFloat()) + "}"
	default:
		return escaped(value.AsString())
	}
}

func numeral(number *big.Float) string { return number.Text('f', -1) }

// exact tells whether a reader of JSON gets this very number.
func exact(text string) bool {
	if !strings.Contains(text, ".") {
		return true
	}
	near, err := strconv.ParseFloat(text, 64)
	return err == nil && strconv.FormatFloat(near, 'f', -1, 64) == text
}

// note remembers a line; of what is written twice the last counts.
func (r *reader) note(path []any, line int) { *r.lines = append(*r.lines, [2]any{path, line}) }

func below(path []any, steps ...any) []any { return append(slices.Clone(path), steps...) }
