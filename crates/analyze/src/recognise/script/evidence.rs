//! Which language a text without a shebang looks like.
//!
//! Each line that could hardly stand in another language gives points to its own; the language
//! with clearly the most wins. This looks at the beginning of lines mostly, for that is where
//! languages differ, and does not parse.

use atoll_types::ProgramKind;

use super::super::UnknownKind;

/// How much of a text is looked at, in bytes and in lines.
const LOOKED_AT_BYTES: usize = 64 * 1024;
const LOOKED_AT_LINES: usize = 1000;

/// By how many points a language must lead to be taken against what the file name says.
const CLEAR_LEAD: u32 = 3;

/// Points of each language.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Points {
    python: u32,
    javascript: u32,
    shell: u32,
}

/// The language of a text. `name` decides where the text leaves it open.
pub(super) fn judge(name: &str, text: &str) -> Result<ProgramKind, UnknownKind> {
    if is_wasm_text(text) {
        return Err(UnknownKind::WasmText);
    }
    let points = points(text);
    let mut ranking = [
        (points.python, ProgramKind::Python),
        (points.javascript, ProgramKind::JavaScript),
        (points.shell, ProgramKind::Shell),
    ];
    ranking.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
    let [(first, leader), (second, _), _] = ranking;
    let named = kind_of_name(name);
    if first >= second + CLEAR_LEAD && other_language(text).is_none() {
        return Ok(leader);
    }
    if let Some(kind) = named {
        return Ok(kind);
    }
    if let Some(language) = other_language(text).or_else(|| language_of_name(name)) {
        return Err(UnknownKind::OtherLanguage { language });
    }
    if text.trim().is_empty() {
        return Err(UnknownKind::Empty);
    }
    if first > second {
        Ok(leader)
    } else {
        Err(UnknownKind::UnknownLanguage)
    }
}

fn ending(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, ending)) => ending.to_ascii_lowercase(),
        None => String::new(),
    }
}

fn kind_of_name(name: &str) -> Option<ProgramKind> {
    match ending(name).as_str() {
        "py" | "pyw" => Some(ProgramKind::Python),
        "js" | "mjs" | "cjs" => Some(ProgramKind::JavaScript),
        "sh" | "bash" | "dash" => Some(ProgramKind::Shell),
        _ => None,
    }
}

fn language_of_name(name: &str) -> Option<&'static str> {
    Some(match ending(name).as_str() {
        "ts" | "mts" | "tsx" => "TypeScript",
        "c" | "h" => "C",
        "cc" | "cpp" | "cxx" | "hpp" => "C++",
        "rs" => "Rust",
        "go" => "Go",
        "java" => "Java",
        "rb" => "Ruby",
        "pl" | "pm" => "Perl",
        "php" => "PHP",
        "lua" => "Lua",
        _ => return None,
    })
}

/// Languages told by a line that only they begin with.
fn other_language(text: &str) -> Option<&'static str> {
    const MARKS: [(&str, &str); 12] = [
        ("#include ", "C or C++"),
        ("#include<", "C or C++"),
        ("package main", "Go"),
        ("fn main()", "Rust"),
        ("use std::", "Rust"),
        ("public class ", "Java"),
        ("import java.", "Java"),
        ("<?php", "PHP"),
        ("<?xml", "XML"),
        ("<!doctype html", "HTML"),
        ("<!DOCTYPE html", "HTML"),
        ("<html", "HTML"),
    ];
    lines(text).take(200).find_map(|line| {
        let (_, language) = MARKS.iter().find(|(mark, _)| line.starts_with(mark))?;
        Some(*language)
    })
}

/// WebAssembly text: an opening bracket and `module` or `component`, after comments.
fn is_wasm_text(text: &str) -> bool {
    let mut rest = text.trim_start();
    // Line comments only: block comments before the module are rare enough.
    while let Some(comment) = rest.strip_prefix(";;") {
        rest = comment
            .split_once('\n')
            .map_or("", |(_, rest)| rest)
            .trim_start();
    }
    let Some(rest) = rest.strip_prefix('(') else {
        return false;
    };
    let rest = rest.trim_start();
    ["module", "component"].iter().any(|word| {
        rest.strip_prefix(word).is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_whitespace() || c == '(' || c == ')')
        })
    })
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut end = text.len().min(LOOKED_AT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end)
        .unwrap_or(text)
        .split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(LOOKED_AT_LINES)
}

fn points(text: &str) -> Points {
    let mut points = Points::default();
    let mut assignments = 0;
    let mut braces_seen = 0;
    for line in lines(text) {
        points.python += python(line);
        points.javascript += javascript(line);
        points.shell += shell(line);
        assignments += u32::from(is_assignment(line));
        braces_seen += braces(line);
    }
    // Python allows these spellings too, so many of them say little more than a few do.
    points.shell += assignments.min(2);
    points.javascript += braces_seen.min(points.javascript + 2);
    points
}

fn starts_with_any(line: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| line.starts_with(start))
}

fn contains_any(line: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| line.contains(part))
}

fn python(line: &str) -> u32 {
    const BLOCKS: &[&str] = &[
        "if ",
        "elif ",
        "else:",
        "for ",
        "while ",
        "with ",
        "try:",
        "except",
        "finally:",
        "def ",
        "class ",
        "async def ",
        "match ",
        "case ",
    ];
    let mut points = 0;
    if line.ends_with(':') && starts_with_any(line, BLOCKS) {
        points += 3;
    }
    if line.starts_with("from ") && line.contains(" import ") {
        points += 3;
    }
    let is_plain_import = line.strip_prefix("import ").is_some_and(|modules| {
        modules
            .chars()
            .all(|c| c.is_alphanumeric() || "_., ".contains(c))
    });
    if is_plain_import {
        points += 3;
    }
    if starts_with_any(
        line,
        &["\"\"\"", "'''", "@", "raise ", "pass", "lambda ", "yield "],
    ) {
        points += 1;
    }
    if line.starts_with("print(") || contains_any(line, &["self.", " None", " True", " False"]) {
        points += 1;
    }
    if contains_any(line, &[" not in ", " is not ", " for ", "range(", "len("])
        && !line.ends_with([';', '{'])
    {
        points += 1;
    }
    points
}

fn javascript(line: &str) -> u32 {
    const DECLARATIONS: &[&str] = &[
        "const ",
        "let ",
        "var ",
        "function ",
        "function(",
        "async function",
        "export default ",
        "export const ",
        "export function ",
        "export async ",
        "export class ",
        "export {",
        "import {",
        "import * as ",
        "} else",
        "} catch",
        "} finally",
        "switch (",
        "case '",
        "case \"",
        "return (",
        "'use strict'",
        "\"use strict\"",
    ];
    let mut points = 0;
    if starts_with_any(line, DECLARATIONS) {
        points += 2;
    }
    if contains_any(
        line,
        &[
            "=>",
            "console.",
            "require(",
            "===",
            "!==",
            "module.exports",
            "process.",
            "new Promise",
        ],
    ) {
        points += 2;
    }
    if line.starts_with("import ") && contains_any(line, &[" from '", " from \""]) {
        points += 4;
    }
    points
}

/// Ends of lines that JavaScript shares with tables of data in other languages.
fn braces(line: &str) -> u32 {
    let is_comment = starts_with_any(line, &["//", "/*", "*/"]);
    let is_end = line.ends_with(';') || line.ends_with("});") || line.ends_with('{');
    u32::from(is_comment) + u32::from(is_end || line == "}")
}

fn shell(line: &str) -> u32 {
    const WORDS: &[&str] = &["fi", "done", "esac", "then", "do", ";;", "else"];
    const COMMANDS: &[&str] = &[
        "echo ",
        "set -",
        "cd ",
        "local ",
        "readonly ",
        "exec ",
        "trap ",
        "unset ",
        "shift",
        "printf '",
        "printf \"",
        "grep ",
        "sed ",
        "awk ",
        "cat ",
        "mkdir ",
        "rm ",
        "cp ",
        "sort",
        "if [",
        "elif [",
        "while [",
        "while read",
        "until [",
        "[ ",
        "[[ ",
        ". ",
        "source ",
        "find ",
        "ls",
        "test ",
        "sleep ",
        "curl ",
        "wget ",
        "kill ",
        "wait",
    ];
    let mut points = 0;
    let is_call = line.contains('(') && !line.contains("$(") && !line.contains("()");
    if WORDS.contains(&line) && line != "else" {
        points += 3;
    }
    if starts_with_any(line, COMMANDS) && !is_call && !line.ends_with(';') {
        points += 2;
    }
    let is_function = line
        .strip_suffix("() {")
        .is_some_and(|name| !name.is_empty() && !name.contains(|c: char| c.is_whitespace()));
    if line.ends_with("; then") || line.ends_with("; do") || is_function {
        points += 3;
    }
    if line.strip_prefix("export ").is_some_and(is_assignment) {
        points += 3;
    }
    if contains_any(line, &["$(", "\"$", " $", "${", "$1", "$@", "$#"]) && !line.contains('`') {
        points += 2;
    }
    if contains_any(
        line,
        &[
            " | ",
            " && ",
            " || true",
            ">/dev/null",
            "> /dev/null",
            "2>&1",
        ],
    ) && !is_call
    {
        points += 1;
    }
    points
}

/// `NAME=value` with no space around the sign.
fn is_assignment(line: &str) -> bool {
    line.split_once('=').is_some_and(|(name, value)| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !value.starts_with([' ', '='])
            && !value.ends_with(';')
    })
}
