//! Which names a body binds, and which of them others can see.
//!
//! Python decides a name's scope before it runs a line; so does this first pass. Comprehensions
//! are part of the body that they stand in: their targets shadow while they last.

use ruff_python_ast::visitor::{Visitor, walk_body, walk_expr, walk_parameters, walk_stmt};
use ruff_python_ast::{
    Comprehension, Expr, ExprCall, ExprContext, Number, Parameters, Pattern, Stmt,
};
use ruff_python_ast::{ExceptHandler, Identifier};
use ruff_text_size::{Ranged as _, TextRange};
use rustc_hash::{FxHashMap, FxHashSet};

/// A body's names.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) parent: Option<usize>,
    pub(super) is_class: bool,
    /// Names that it binds itself.
    pub(super) bound: FxHashSet<String>,
    pub(super) globals: FxHashSet<String>,
    nonlocals: FxHashSet<String>,
    used: FxHashSet<String>,
    /// Names that inner bodies read or write.
    pub(super) captured: FxHashSet<String>,
    /// Names that inner bodies write.
    pub(super) written_elsewhere: FxHashSet<String>,
    pub(super) yields: bool,
    /// `from x import *` stands in it.
    pub(super) imports_all: bool,
}

/// Where a name is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the body itself.
    Own,
    /// In the body so many further out.
    Outer(u32),
    /// Nowhere in the module.
    Builtin,
}

/// All bodies of a module; the first is the module's.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    pub(super) list: Vec<Scope>,
    /// Attributes of which the module says `self.x.setblocking(False)`.
    pub(super) unblocked: FxHashSet<String>,
    by_range: FxHashMap<TextRange, usize>,
}

impl Scopes {
    /// Reads a module.
    pub(super) fn of(body: &[Stmt]) -> Self {
        let mut collector = Collector {
            scopes: Self::default(),
            current: 0,
            shadowed: Vec::new(),
        };
        collector.scopes.list.push(Scope::default());
        walk_body(&mut collector, body);
        let mut scopes = collector.scopes;
        scopes.capture();
        scopes
    }

    /// The body of a definition.
    pub(super) fn at(&self, range: TextRange) -> usize {
        self.by_range.get(&range).copied().unwrap_or(0)
    }

    /// Where `name`, used in the body `from`, is bound.
    pub(super) fn find(&self, from: usize, name: &str) -> Place {
        let own = &self.list[from];
        if own.bound.contains(name) && !own.globals.contains(name) && !own.nonlocals.contains(name)
        {
            return Place::Own;
        }
        self.find_outside(from, name)
    }

    /// Where a name is bound that the body `from` has not bound so far: a class body finds what is around it then.
    pub(super) fn find_outside(&self, from: usize, name: &str) -> Place {
        let only_global = self.list[from].globals.contains(name);
        let mut hops = 0;
        let mut at = from;
        while let Some(parent) = self.list[at].parent {
            at = parent;
            hops += 1;
            let scope = &self.list[at];
            let is_module = scope.parent.is_none();
            // Class bodies do not lend their names to what stands in them.
            let lends = is_module || (!scope.is_class && !only_global);
            if lends && scope.bound.contains(name) && !scope.globals.contains(name) {
                return Place::Outer(hops);
            }
        }
        if self.list[0].imports_all {
            return if hops == 0 {
                Place::Own
            } else {
                Place::Outer(hops)
            };
        }
        Place::Builtin
    }

    fn capture(&mut self) {
        for inner in 0..self.list.len() {
            let scope = &self.list[inner];
            let mut found = Vec::new();
            for name in &scope.used {
                found.push((name.clone(), false));
            }
            for name in scope.globals.iter().chain(&scope.nonlocals) {
                found.push((name.clone(), true));
            }
            for (name, writes) in found {
                self.capture_one(inner, name, writes);
            }
        }
    }

    fn capture_one(&mut self, inner: usize, name: String, writes: bool) {
        if writes && self.list[inner].globals.contains(&name) {
            // `global x` may be the only place that binds it.
            self.list[0].bound.insert(name.clone());
        }
        let place = if self.list[inner].is_class && !writes {
            self.find_outside(inner, &name)
        } else {
            self.find(inner, &name)
        };
        let Place::Outer(hops) = place else {
            return;
        };
        let mut at = inner;
        for _ in 0..hops {
            at = self.list[at].parent.unwrap_or(0);
        }
        if writes {
            self.list[at].written_elsewhere.insert(name.clone());
        }
        self.list[at].captured.insert(name);
    }
}

struct Collector {
    scopes: Scopes,
    current: usize,
    /// Targets of the comprehensions around.
    shadowed: Vec<String>,
}

impl Collector {
    fn scope(&mut self) -> &mut Scope {
        &mut self.scopes.list[self.current]
    }

    fn bind(&mut self, name: &str) {
        if !self.scope().bound.contains(name) {
            self.scope().bound.insert(name.to_owned());
        }
    }

    fn bind_identifier(&mut self, name: Option<&Identifier>) {
        if let Some(name) = name {
            self.bind(name.as_str());
        }
    }

    fn enter(&mut self, range: TextRange, is_class: bool) -> usize {
        let outer = self.current;
        self.current = self.scopes.list.len();
        self.scopes.by_range.insert(range, self.current);
        self.scopes.list.push(Scope {
            parent: Some(outer),
            is_class,
            ..Scope::default()
        });
        outer
    }

    fn bind_parameters(&mut self, parameters: &Parameters) {
        for parameter in parameters {
            let name = parameter.name().as_str().to_owned();
            self.bind(&name);
        }
    }

    fn comprehension(&mut self, generators: &[Comprehension], expression: &Expr) {
        let before = self.shadowed.len();
        for generator in generators {
            names_in(&generator.target, &mut self.shadowed);
        }
        walk_expr(self, expression);
        self.shadowed.truncate(before);
    }
}

/// The socket of `socket.setblocking(False)` or `socket.settimeout(0)`.
pub(super) fn unblocks(call: &ExprCall) -> Option<&Expr> {
    let Expr::Attribute(method) = &*call.func else {
        return None;
    };
    let given = call.arguments.args.first()?;
    let is_nothing = match given {
        Expr::BooleanLiteral(literal) => !literal.value,
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(number) => *number == 0,
            Number::Float(number) => *number == 0.0,
            Number::Complex { .. } => false,
        },
        _ => false,
    };
    let named = matches!(method.attr.as_str(), "setblocking" | "settimeout");
    (named && is_nothing).then_some(&*method.value)
}

/// The names that a target binds.
pub(super) fn names_in(target: &Expr, names: &mut Vec<String>) {
    match target {
        Expr::Name(name) => names.push(name.id.to_string()),
        Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| names_in(part, names)),
        Expr::List(list) => list.elts.iter().for_each(|part| names_in(part, names)),
        Expr::Starred(starred) => names_in(&starred.value, names),
        _ => {}
    }
}

impl<'a> Visitor<'a> for Collector {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => {
                self.bind(function.name.as_str());
                for decorator in &function.decorator_list {
                    self.visit_decorator(decorator);
                }
                walk_parameters(self, &function.parameters);
                let outer = self.enter(function.range(), false);
                // Annotations are read inside: see `Declare`.
                walk_parameters(self, &function.parameters);
                if let Some(returns) = &function.returns {
                    self.visit_expr(returns);
                }
                self.bind_parameters(&function.parameters);
                walk_body(self, &function.body);
                self.current = outer;
            }
            Stmt::ClassDef(class) => {
                self.bind(class.name.as_str());
                for decorator in &class.decorator_list {
                    self.visit_decorator(decorator);
                }
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                let outer = self.enter(class.range(), true);
                walk_body(self, &class.body);
                self.current = outer;
            }
            Stmt::Global(global) => {
                for name in &global.names {
                    self.scope().globals.insert(name.to_string());
                }
            }
            Stmt::Nonlocal(nonlocal) => {
                for name in &nonlocal.names {
                    self.scope().nonlocals.insert(name.to_string());
                }
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let full = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    let name = full.split('.').next().unwrap_or(full).to_owned();
                    self.bind(&name);
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    if alias.name.as_str() == "*" {
                        self.scope().imports_all = true;
                    }
                    self.bind_identifier(Some(alias.asname.as_ref().unwrap_or(&alias.name)));
                }
            }
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Name(name) => match name.ctx {
                ExprContext::Load => {
                    if !self.shadowed.iter().any(|known| known == name.id.as_str()) {
                        let name = name.id.to_string();
                        self.scope().used.insert(name);
                    }
                }
                _ if self.shadowed.iter().any(|known| known == name.id.as_str()) => {}
                _ => self.bind(name.id.as_str()),
            },
            Expr::Call(call) => {
                if let Some(Expr::Attribute(socket)) = unblocks(call) {
                    self.scopes.unblocked.insert(socket.attr.to_string());
                }
                walk_expr(self, expression);
            }
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    walk_parameters(self, parameters);
                }
                let outer = self.enter(lambda.range(), false);
                if let Some(parameters) = &lambda.parameters {
                    self.bind_parameters(parameters);
                }
                // What a comprehension around binds is not the lambda's to shadow.
                let shadowed = std::mem::take(&mut self.shadowed);
                self.visit_expr(&lambda.body);
                for name in &shadowed {
                    self.lend(outer, name);
                }
                self.shadowed = shadowed;
                self.current = outer;
            }
            Expr::ListComp(list) => self.comprehension(&list.generators, expression),
            Expr::SetComp(set) => self.comprehension(&set.generators, expression),
            Expr::DictComp(dict) => self.comprehension(&dict.generators, expression),
            Expr::Generator(generator) => self.comprehension(&generator.generators, expression),
            Expr::Yield(_) | Expr::YieldFrom(_) => {
                self.scope().yields = true;
                walk_expr(self, expression);
            }
            _ => walk_expr(self, expression),
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        self.bind_identifier(inner.name.as_ref());
        ruff_python_ast::visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        match pattern {
            Pattern::MatchAs(capture) => self.bind_identifier(capture.name.as_ref()),
            Pattern::MatchStar(star) => self.bind_identifier(star.name.as_ref()),
            Pattern::MatchMapping(mapping) => self.bind_identifier(mapping.rest.as_ref()),
            _ => {}
        }
        ruff_python_ast::visitor::walk_pattern(self, pattern);
    }
}

impl Collector {
    /// A lambda in a comprehension uses the comprehension's target: `outer` binds it then.
    fn lend(&mut self, outer: usize, name: &str) {
        let inner = &self.scopes.list[self.current];
        if inner.used.contains(name) && !inner.bound.contains(name) {
            self.scopes.list[outer].bound.insert(name.to_owned());
        }
    }
}
