"""Mapping templates: Velocity as API Gateway runs it, and its bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.apigateway.mapping.template import Template, TemplateError
from trine.apigateway.mapping.variables import UTIL

MACROS = [
    ("#macro(hi $who)Hi $who!#end#hi('Ann')#hi($name)", "Hi Ann!Hi Ann!"),
    ("#macro(two $a, $b)$b$a#end#two('x', 'y')#two('x' 'y')", "yxyx"),
    ("#macro(one $a)$a#end#one(1)$a", "1"),
    ("#set($a = 5)#macro(one $a)$a#end#one(1)$a", "15"),
    ("#macro(count)#set($n = 3)#end#count()$n", "3"),
    ("#later('x')#macro(later $a)[$a]#end", "[x]"),
    ("## #macro(gone $a)\n#gone('x')", "#gone('x')"),
    ("#macro(outer $a)#inner($a)#end#macro(inner $b)<$b>#end#outer('x')", "<x>"),
    ("#macro(wrap $t)<$t>$bodyContent</$t>#end#@wrap('b')bold $name#end", "<b>bold Ann</b>"),
    ("#macro(toJson $i)#foreach($k in $i.keySet())$k;#end#end#toJson($map)", "a;"),
    ("#macro(camelCase)x#end#camelCase()", "x"),
    ("#macro(m $a)$a#end#m($nobody)|", "|"),
    ("#define($d)<$name>#end#set($name = 'Bo')$d", "<Bo>"),
    ('#define($d)x#end#set($y = "$d$d")$y', "xx"),
    ("#define($d)$n#end#foreach($n in [1..3])$d#end", "123"),
    ("#set($t = '$name #if(true)yes#end')#evaluate($t)", "Ann yes"),
    ("#unknown($name) #FFF", "#unknown(Ann) #FFF"),
    ("#set($Integer = 0)$Integer.parseInt('42') $!Integer.parseInt('x')|", "42 |"),
    ("#foreach($e in $map.entrySet())$e.getKey()#end", "a"),
    ("$list.subList(0, 2) $list.lastIndexOf('y') ${name.isBlank()}", "[z, y] 1 false"),
]


@pytest.mark.parametrize(("source", "expected"), MACROS)
def test_macros_and_blocks(source: str, expected: str) -> None:
    variables = {"name": "Ann", "list": ["z", "y", "x"], "map": {"a": {"b": 1}}}
    assert render(source, **variables) == expected


@pytest.mark.parametrize(
    "source",
    [
        "#macro(m)#m()#end#m()",
        "#define($d)$d#end$d",
        "#macro(a)#b()#end#macro(b)#a()#end#a()",
        "#set($t = '#evaluate($t)')#evaluate($t)",
        "#macro(m)#m()#m()#end#m()",
        "#macro(m $x)#foreach($i in [1..900])#foreach($j in [1..900])$i#end#end#end#m(1)",
    ],
)
def test_macros_end(source: str) -> None:
    with pytest.raises(TemplateError):
        render(source)


@pytest.mark.parametrize("source", ["#macro(", "#macro()x#end", "#macro(a b)x#end", "#define(x)y#end", "#macro(a $b)",
                                    "#macro(a)x#end#a(", "#@a()x", "#macro(a)x#end#@a()x", "#evaluate("])  # fmt: skip
def test_broken_macros(source: str) -> None:
    with pytest.raises(TemplateError, match="line 1"):
        render(source)


def render(source: str, **variables: Any) -> str:
    return Template(source).render(variables)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain text", "plain text"),
        ("$name", "Ann"),
        ("${name}s", "Anns"),
        ("$!name $!nobody.", "Ann ."),
        ("$nobody ${nobody} $nobody.a()|", "  |"),
        ("$map.missing|", "|"),
        ("5$ and # and $5 #1", "5$ and # and $5 #1"),
        ("\\$name \\x \\", "$name \\x \\"),
        ("$map.a.b $map['a'].b $map.get('a').b", "1 1 1"),
        ("$list[1] $list.get(0) $list.size() $list[9]|", "y x 3 |"),
        ("$name. $name.length().", "Ann. 3."),
        ("${name and ${AWS::Region}", "${name and ${AWS::Region}"),
        ("## comment\nkept", "kept"),
        ("a#* any\n#if *#b", "ab"),
        ("#[[ $raw #if ]]#", " $raw #if "),
        ("#set($x = 1 + 2 * 3 - 8 / 3 % 2)$x", "7"),
        ("#set($x = (1 + 2) * 3)$x", "9"),
        ("#set($x = 7 / 0)$!x|", "|"),
        ("#set($x = -7 / 2)$x", "-3"),
        ("#set($x = 'a' + 1)$x", "a1"),
        ('#set($x = "hi $name")$x', "hi Ann"),
        ("#set($x = 'hi $name')$x", "hi $name"),
        ('#set($x = "say ""hi""")$x', 'say "hi"'),
        ("#set($x = [])$x #set($y = {})$y", "[]{}"),
        ("#set($m = {'k': [1, true, null]})$m", "{k=[1, true, null]}"),
        ("#set($m = {'k': 1})#set($m.j = 2)#set($m['i'] = 3)$m", "{k=1, j=2, i=3}"),
        ("#set($l = [1])#set($ok = $l.add(2))$l", "[1, 2]"),
        ("#if($name == 'Ann')yes#{else}no#end", "yes"),
        ("#if($name != 'Ann')yes#elseif($list.size() > 2)three#else no#end", "three"),
        ("#if($nobody)a#else b#end", " b"),
        ("#if(!$nobody && ($name || false))a#end", "a"),
        ("#if(not true or 1 lt 2 and 3 ge 3)a#end", "a"),
        ("#if('1' == 1)same#end", "same"),
        ("#foreach($i in $list)$foreach.count$i#if($foreach.hasNext),#end#end", "1x,2y,3z"),
        ("#foreach($i in [3..1])$i#end", "321"),
        ("#foreach($e in $map.entrySet())$e.key=$e.value#end", "a={b=1}"),
        ("#foreach($i in $list)#if($i == 'y')#break#end$i#end.", "x."),
        ("a#stop b", "a"),
        ("#foreach($v in $map)$v#end", "{b=1}"),
        ("#if(true)\n  kept\n#end\nrest", "  kept\nrest"),
        ("#set($x = 1)\n$x", "1"),
        ("$name.toUpperCase().substring(1).replace('N', 'm')", "mm"),
        ("$name.replaceAll('(n)', '<$1>') $name.replaceFirst('n', '-')", "A<n><n> A-n"),
        ("$name.split('n')[0] $name.matches('A.*') $name.contains('nn')", "A true true"),
        ("$name.nothing()|$name.substring(9)|", "||"),
        ("$list.contains('x') $map.containsKey('a') $map.keySet()", "true true [a]"),
        ("#if($nobody == '' && $map.missing == '' && $nobody == $null)null#end", "null"),
        ("#if('text')a#{end}#if(1)b#{end}#if([1])c#{end}#if($list)d#end", "d"),
        ("\\\\$name \\\\\\$name \\$nobody \\\\#if(true)x#end", "\\Ann \\$name \\$nobody \\x"),
        ("#end1 #elsefoo", "#end1 #elsefoo"),
        ("a\n  #set($x = 1)\nb #set($x = 1)c", "a\nb c"),
        ("#@nobody()x#end", "#@nobody()x#end"),
        ("#set($x = 7.5 % -2)$x #set($x = 1.0 * 10000000)$x #set($x = 0.5 / 1000)$x", "1.51.0E75.0E-4"),
        ("$name.compareTo('Bob') $list.empty $list.set(0, 'w') $map.entrySet()", "-1 false x [a={b=1}]"),
    ],
)
def test_velocity(source: str, expected: str) -> None:
    assert render(source, name="Ann", map={"a": {"b": 1}}, list=["x", "y", "z"]) == expected


def test_values_print_as_recorded_on_aws() -> None:
    assert render("$v", v={"foo": "bar"}) == "{foo=bar}"
    assert render("$v", v=[{"foo": "bar"}]) == '[{"foo":"bar"}]'
    assert render("$v", v={"foo": [{"nested": "bar"}]}) == '{foo=[{"nested":"bar"}]}'
    assert render("$v", v={"bigger": "dict", "to": "test"}) == "{bigger=dict, to=test}"


@pytest.mark.parametrize(
    "source",
    [
        "#if(true)never closed", "#end", "#else", "#set($x = )", "#set(x = 1)", "#if()a#end", "#if(1",
        "#foreach($x)#end",
        "#foreach($x.y in [])#end", "#parse('x')", "#* open", "#[[ open", "#set($x = 'open)",
        "#set($x = 1 +)", "#set($x = [1,)", "#set($x = {1 2})",  "$name.call(",
        "#set($x = " + "(" * 5_000 + ")", "#if(true)" * 100 + "#end" * 100, "#set($x = " + "!" * 5_000 + "true)",
        "#set($x = " + "9" * 50 + ")", "$a" * 200_000, "$x" + ".a(" * 3_000,
    ],
)  # fmt: skip
def test_faults_are_told_when_the_template_is_read(source: str) -> None:
    with pytest.raises(TemplateError):
        Template(source)


def test_open_brackets_behind_a_reference_are_text() -> None:
    assert render("$x[" * 200, x="1") == "1[" * 200


def test_a_fault_names_its_line() -> None:
    with pytest.raises(TemplateError, match="line 3: #end without"):
        Template("a\nb\n#end")


@pytest.mark.parametrize(
    "source",
    [
        "#foreach($a in [1..1000])#foreach($b in [1..1000])$b#end#end",
        "#foreach($a in [1..1001])x#end",
        "#set($x = 'aaaaaaaaaa')#foreach($a in [1..100])#set($x = $x + $x)#end",
        "#set($l = [1])#foreach($a in [1..100])#set($y = $l.addAll($l))#end",
        "#set($l = [])#set($y = $l.add($l))",
        "#set($m = {})#set($y = $m.put('a', $m))",
        "#set($m = {})#set($n = {})#set($m.n = $n)#set($n.m = $m)$m",
        "#set($x = [1..9999999])",
        "#set($l = [1])#foreach($a in [1..50])#set($l = [$l, $l])#end$l",
        "#set($l = [1])#set($m = [1])#foreach($a in [1..50])#set($l = [$l, $l])#set($m = [$m, $m])#end#if($l==$m)#end",
        "#set($l = [1])#foreach($a in [1..50])#set($l = [$l, $l])#end$l.contains($l.get(0).get(0))",
        "#set($s = $long)#foreach($a in [1..1000])#set($s = $s.replace('a', 'b'))#end",
        "#foreach($a in [1..1000])#if($long == $other)#end#end",
        "#set($l = [1..1000])#foreach($a in $l)#foreach($b in $l)#if($l == $l)#end#end#end",
        "#set($l = [1..1000])#foreach($a in [1..1000])#foreach($b in [1..1000])#set($c = $l.contains($b))#end#end",
        "$evil.matches('(a|a)*')",
        "$evil.replaceAll('((a|a)+)+$', 'x')",
    ],
)
def test_a_template_cannot_run_away(source: str) -> None:
    with pytest.raises(TemplateError):
        render(source, evil="a" * 60 + "!", long="a" * 5_000_000, other="a" * 4_999_999 + "b")


@pytest.mark.parametrize("name", ["base64Encode", "escapeJavaScript"])
def test_a_text_that_is_encoded_again_and_again_ends(name: str) -> None:
    with pytest.raises(TemplateError):
        render(f"#set($s = 'ä/')#foreach($i in [1..1000])#set($s = $util.{name}($s))#end", util=UTIL)


def test_nothing_of_python_is_reachable() -> None:
    for name in ("__class__", "__dict__", "format", "encode", "__init__"):
        assert render(f"$name.{name}|$name.{name}('x')|$map.{name}|$map.{name}()", name="x", map={}) == "|||"


PIECES = st.lists(
    st.sampled_from(
        ["#if(", "#if($a)", "#else", "#elseif(true)", "#end", "#foreach($i in $l)", "#set($a = ", ")", "$a", "${a", "}",
         "$!{a}", ".b", ".c()", "[0]", "[", "]", "{", '"', "'", "1", "1..3", ",", " ", "\n", "&&", "==", "!", "+", "$l",
         "##", "#*", "*#", "\\", "#stop", "#break", "text", "$foreach.count", "$a.replaceAll('a', '$1')"]
    ),
    max_size=30,
)  # fmt: skip


@given(PIECES)
@settings(max_examples=400)
def test_any_template_renders_or_is_refused(pieces: list[str]) -> None:
    try:
        text = render("".join(pieces), a={"b": "x"}, l=[1, "2", None])
    except TemplateError:
        return
    assert isinstance(text, str)
