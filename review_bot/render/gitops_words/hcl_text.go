package main

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

var signs = map[*hclsyntax.Operation]string{
	hclsyntax.OpLogicalOr: "||", hclsyntax.OpLogicalAnd: "&&", hclsyntax.OpLogicalNot: "!", hclsyntax.OpEqual: "==",
	hclsyntax.OpNotEqual: "!=", hclsyntax.OpGreaterThan: ">", hclsyntax.OpGreaterThanOrEqual: ">=", hclsyntax.OpLessThan: "<",
	hclsyntax.OpLessThanOrEqual: "<=", hclsyntax.OpAdd: "+", hclsyntax.OpSubtract: "-", hclsyntax.OpMultiply: "*",
	hclsyntax.OpDivide: "/", hclsyntax.OpModulo: "%", hclsyntax.OpNegate: "-",
}

// text writes an expression in one way, whatever spaces, comments and line ends it was written with.
func (r *reader) text(expression hclsyntax.Expression) string {
	switch one := expression.(type) {
	case *hclsyntax.LiteralValueExpr:
		return r.literalText(one.Val)
	case *hclsyntax.ParenthesesExpr:
		return "(" + r.text(one.Expression) + ")"
	case *hclsyntax.ScopeTraversalExpr:
		return steps(one.Traversal)
	case *hclsyntax.RelativeTraversalExpr:
		return r.text(one.Source) + steps(one.Traversal)
	case *hclsyntax.AnonSymbolExpr:
		return ""
	case *hclsyntax.SplatExpr:
		marker := "[*]"
		if r.source[one.MarkerRange.Start.Byte] == '.' {
			marker = ".*"
		}
		return r.text(one.Source) + marker + r.text(one.Each)
	case *hclsyntax.IndexExpr:
		return r.text(one.Collection) + "[" + r.text(one.Key) + "]"
	case *hclsyntax.FunctionCallExpr:
		rest := ""
		if one.ExpandFinal {
			rest = "..."
		}
		return one.Name + "(" + r.listed(one.Args) + rest + ")"
	case *hclsyntax.UnaryOpExpr:
		return signs[one.Op] + r.text(one.Val)
	case *hclsyntax.BinaryOpExpr:
		return r.text(one.LHS) + " " + signs[one.Op] + " " + r.text(one.RHS)
	case *hclsyntax.ConditionalExpr:
		return r.text(one.Condition) + " ? " + r.text(one.TrueResult) + " : " + r.text(one.FalseResult)
	case *hclsyntax.TupleConsExpr:
		return "[" + r.listed(one.Exprs) + "]"
	case *hclsyntax.ObjectConsExpr:
		elements := make([]string, len(one.Items))
		for number, item := range one.Items {
			elements[number] = r.text(item.KeyExpr) + " = " + r.text(item.ValueExpr)
		}
		return "{" + strings.Join(elements, ", ") + "}"
	case *hclsyntax.ObjectConsKeyExpr:
		return r.text(one.Wrapped)
	case *hclsyntax.ForExpr:
		return r.loop(one)
	case *hclsyntax.TemplateExpr:
		return `"` + r.template(one.Parts, true) + `"`
	case *hclsyntax.TemplateWrapExpr:
		return `"${` + r.text(one.Wrapped) + `}"`
	}
	span := expression.Range()
	return string(span.SliceBytes(r.source))
}

func (r *reader) listed(expressions []hclsyntax.Expression) string {
	items := make([]string, len(expressions))
	for number, one := range expressions {
		items[number] = r.text(one)
	}
	return strings.Join(items, ", ")
}

func (r *reader) loop(one *hclsyntax.ForExpr) string {
	text := "for " + names(one) + " in " + r.text(one.CollExpr) + " : "
	if one.KeyExpr != nil {
		text += r.text(one.KeyExpr) + " => "
	}
	text += r.text(one.ValExpr)
	if one.Group {
		text += "..."
	}
	if one.CondExpr != nil {
		text += " if " + r.text(one.CondExpr)
	}
	if one.KeyExpr != nil {
		return "{" + text + "}"
	}
	return "[" + text + "]"
}

func names(one *hclsyntax.ForExpr) string {
	if one.KeyVar == "" {
		return one.ValVar
	}
	return one.KeyVar + ", " + one.ValVar
}

// template writes what stands between a template's quotes, as if there were no heredocs; `quoted` escapes it as HCL does.
func (r *reader) template(parts []hclsyntax.Expression, quoted bool) string {
	var out strings.Builder
	for _, part := range parts {
		switch one := part.(type) {
		case *hclsyntax.LiteralValueExpr:
			if one.Val.IsKnown() && !one.Val.IsNull() && one.Val.Type() == cty.String {
				// What stands between quotes within ${…} is a template of its own, and no literal.
				text := escaped(one.Val.AsString())
				if quoted {
					text = escapes.Replace(text)
				}
				out.WriteString(text)
				continue
			}
		case *hclsyntax.ConditionalExpr:
			if r.source[one.SrcRange.Start.Byte] == '%' {
				out.WriteString("%{ if " + r.text(one.Condition) + " }" + r.inner(one.TrueResult, quoted))
				if otherwise := r.inner(one.FalseResult, quoted); otherwise != "" {
					out.WriteString("%{ else }" + otherwise)
				}
				out.WriteString("%{ endif }")
				continue
			}
		case *hclsyntax.TemplateJoinExpr:
			if loop, ok := one.Tuple.(*hclsyntax.ForExpr); ok {
				out.WriteString("%{ for " + names(loop) + " in " + r.text(loop.CollExpr) + " }")
				out.WriteString(r.inner(loop.ValExpr, quoted) + "%{ endfor }")
				continue
			}
		}
		out.WriteString("${" + r.text(part) + "}")
	}
	return out.String()
}

func (r *reader) inner(expression hclsyntax.Expression, quoted bool) string {
	if one, ok := expression.(*hclsyntax.TemplateExpr); ok {
		return r.template(one.Parts, quoted)
	}
	return "${" + r.text(expression) + "}"
}

func (r *reader) literalText(value cty.Value) string {
	switch {
	case value.IsNull():
		return "null"
	case value.Type() == cty.Bool:
		return strconv.FormatBool(value.True())
	case value.Type() == cty.Number:
		return numeral(value.AsBigFloat())
	default:
		return `"` + escapes.Replace(escaped(value.AsString())) + `"`
	}
}

func steps(traversal hcl.Traversal) string {
	var out strings.Builder
	for _, step := range traversal {
		switch one := step.(type) {
		case hcl.TraverseRoot:
			out.WriteString(one.Name)
		case hcl.TraverseAttr:
			out.WriteString("." + one.Name)
		case hcl.TraverseIndex:
			if one.Key.Type() == cty.Number {
				out.WriteString("[" + numeral(one.Key.AsBigFloat()) + "]")
			} else {
				out.WriteString(`["` + escapes.Replace(escaped(one.Key.AsString())) + `"]`)
			}
		}
	}
	return out.String()
}

var (
	templates = strings.NewReplacer("${", "$${", "%{", "%%{")
	escapes   = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
)

// escaped keeps a text that only looks like an expression from being taken for one, as in Terraform's JSON.
func escaped(text string) string { return templates.Replace(text) }
