//! Functions, lambdas and classes.
//!
//! A parameter's annotation is evaluated inside the function: names in it may be defined later in
//! the module, which quoted and postponed annotations do.

use ruff_python_ast::{Decorator, Expr, ExprLambda, Parameters, StmtClassDef, StmtFunctionDef};
use ruff_text_size::{Ranged as _, TextRange};

use super::awaitable::gives_awaitable;
use super::kinds;
use super::lowering::{Lowering, NewBody};
use super::settled::settled;
use super::span_of;
use crate::facts::{
    Action, Argument, ArgumentKind, BodyKind, Call, Class, Mode, Name, Parameter, ParameterKind,
    RETURNS, Receiver, Slot,
};

impl Lowering<'_> {
    pub(super) fn function(&mut self, function: &StmtFunctionDef) {
        let decorators = self.decorators(&function.decorator_list);
        let defaults = self.defaults(&function.parameters);
        let scope = self.scopes.at(function.range());
        let kind = match (function.is_async, self.scopes.list[scope].yields) {
            (false, false) => BodyKind::Function,
            (false, true) => BodyKind::Generator,
            (true, false) => BodyKind::Coroutine,
            (true, true) => BodyKind::AsyncGenerator,
        };
        let name = self.name(function.name.as_str());
        let number = self.open(scope, NewBody { name, kind });
        self.facts_of(number).receiver = receiver(function);
        self.facts_of(number).gives_awaitable = gives_awaitable(function);
        if function.name.as_str() == "__init__" {
            let names = settled(function);
            let names = names.into_iter().map(|name| self.name(name)).collect();
            self.facts_of(number).settled = names;
        }
        self.parameters(number, &function.parameters);
        if let Some(returns) = &function.returns
            && matches!(kind, BodyKind::Function | BodyKind::Coroutine)
        {
            let annotation = self.annotation(returns);
            self.emit(
                returns.range(),
                Action::Declare {
                    to: RETURNS,
                    annotation,
                },
            );
        }
        self.chosen_by.push(kinds::asked_in(&function.body));
        self.statements(&function.body);
        self.chosen_by.pop();
        self.close();
        let to = self.slot();
        self.emit(
            function.name.range,
            Action::Function {
                to,
                function: number,
                defaults,
            },
        );
        let to = self.given_by_tests(function.name.range, to);
        let decorated = self.decorate(decorators, to);
        self.write(function.name.range, function.name.as_str(), decorated);
    }

    pub(super) fn lambda(&mut self, lambda: &ExprLambda) -> Slot {
        let defaults = lambda
            .parameters
            .as_ref()
            .map_or_else(Box::default, |given| self.defaults(given));
        let scope = self.scopes.at(lambda.range());
        let name = self.name("<lambda>");
        let new = NewBody {
            name,
            kind: BodyKind::Function,
        };
        let number = self.open(scope, new);
        if let Some(parameters) = &lambda.parameters {
            self.parameters(number, parameters);
        }
        let from = self.expression(&lambda.body);
        self.emit(lambda.body.range(), Action::Return { from });
        self.close();
        let to = self.slot();
        self.emit(
            lambda.range(),
            Action::Function {
                to,
                function: number,
                defaults,
            },
        );
        to
    }

    pub(super) fn class(&mut self, class: &StmtClassDef) {
        let decorators = self.decorators(&class.decorator_list);
        let mut bases = Vec::new();
        let mut keywords = Vec::new();
        if let Some(arguments) = &class.arguments {
            bases.extend(arguments.args.iter().map(|base| self.expression(base)));
            for keyword in &arguments.keywords {
                let given = self.expression(&keyword.value);
                let name = keyword.arg.as_ref().map(|name| self.name(name.as_str()));
                keywords.extend(name.map(|name| (name, given)));
            }
        }
        let scope = self.scopes.at(class.range());
        let name = self.name(class.name.as_str());
        let new = NewBody {
            name,
            kind: BodyKind::Class,
        };
        let body = self.open(scope, new);
        self.answers.push(kinds::kept_by(&class.body));
        self.statements(&class.body);
        self.answers.pop();
        self.close();
        let to = self.slot();
        let made = Class {
            to,
            body,
            bases,
            keywords,
        };
        self.emit(class.name.range, Action::Class(Box::new(made)));
        let decorated = self.decorate(decorators, to);
        self.write(class.name.range, class.name.as_str(), decorated);
    }

    fn decorators(&mut self, decorators: &[Decorator]) -> Vec<(TextRange, Slot)> {
        decorators
            .iter()
            .map(|decorator| (decorator.range(), self.expression(&decorator.expression)))
            .collect()
    }

    fn decorate(&mut self, decorators: Vec<(TextRange, Slot)>, function: Slot) -> Slot {
        let mut slot = function;
        for (range, callee) in decorators.into_iter().rev() {
            let to = self.slot();
            let arguments = vec![Argument {
                kind: ArgumentKind::Positional,
                slot,
            }];
            let call = Call {
                to,
                callee,
                arguments,
                mode: Mode::Decorator,
            };
            self.emit(range, Action::Call(Box::new(call)));
            slot = to;
        }
        slot
    }

    fn defaults(&mut self, parameters: &Parameters) -> Box<[(Name, Slot)]> {
        let mut defaults = Vec::new();
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(default) = &parameter.default {
                let slot = self.expression(default);
                defaults.push((self.name(parameter.parameter.name.as_str()), slot));
            }
        }
        defaults.into_boxed_slice()
    }

    fn parameters(&mut self, function: u32, parameters: &Parameters) {
        let positional = parameters.posonlyargs.iter().chain(&parameters.args);
        for parameter in positional {
            self.parameter(function, &parameter.parameter, ParameterKind::Positional);
        }
        if let Some(star) = &parameters.vararg {
            self.parameter(function, star, ParameterKind::Star);
        }
        for parameter in &parameters.kwonlyargs {
            self.parameter(function, &parameter.parameter, ParameterKind::KeywordOnly);
        }
        if let Some(star) = &parameters.kwarg {
            self.parameter(function, star, ParameterKind::DoubleStar);
        }
    }

    fn parameter(
        &mut self,
        function: u32,
        parameter: &ruff_python_ast::Parameter,
        kind: ParameterKind,
    ) {
        let slot = self.slot();
        let name = self.name(parameter.name.as_str());
        self.facts_of(function)
            .parameters
            .push(Parameter { name, kind, slot });
        let plain = matches!(kind, ParameterKind::Positional | ParameterKind::KeywordOnly);
        if let (Some(annotation), true) = (&parameter.annotation, plain) {
            let range = annotation.range();
            let annotation = self.annotation(annotation);
            self.emit(
                range,
                Action::Declare {
                    to: slot,
                    annotation,
                },
            );
        }
        self.write(parameter.name.range, parameter.name.as_str(), slot);
    }

    /// An annotation's value; a quoted one is parsed.
    pub(super) fn annotation(&mut self, annotation: &Expr) -> Slot {
        if let Expr::StringLiteral(text) = annotation {
            let source = text.value.to_str().to_owned();
            if let Ok(parsed) = ruff_python_parser::parse_expression(&source) {
                return self.moved(parsed.expr(), annotation.range());
            }
        }
        if let Expr::Subscript(item) = annotation {
            return self.subscript_of_annotation(item);
        }
        if let Expr::Call(_) = annotation {
            // Evaluated where the function is made, if at all, and of no class that is known.
            return self.slot();
        }
        if let Expr::BinOp(union) = annotation {
            let to = self.slot();
            for part in [&union.left, &union.right] {
                let from = self.annotation(part);
                self.emit(annotation.range(), Action::Copy { to, from });
            }
            return to;
        }
        self.expression(annotation)
    }

    /// `Optional[X]`, `Union[X, Y]`, `Annotated[X, …]` are what they name; `list[X]` holds it.
    fn subscript_of_annotation(&mut self, item: &ruff_python_ast::ExprSubscript) -> Slot {
        let word = match &*item.value {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => "",
        };
        let parts: Vec<&Expr> = match &*item.slice {
            Expr::Tuple(tuple) => tuple.elts.iter().collect(),
            one => vec![one],
        };
        let range = item.range();
        match word {
            "Optional" | "Union" => {
                let to = self.slot();
                for part in parts {
                    let from = self.annotation(part);
                    self.emit(range, Action::Copy { to, from });
                }
                to
            }
            "Annotated" => self.with_metadata(range, &parts),
            "ClassVar" | "Final" | "Required" | "NotRequired" | "Mapped" => {
                parts.first().map_or(RETURNS, |part| self.annotation(part))
            }
            "list" | "List" | "set" | "Set" | "tuple" | "Tuple" | "Sequence" | "Iterable"
            | "Iterator" | "Collection" | "frozenset" | "dict" | "Dict" | "Mapping" | "deque"
            | "defaultdict" | "MutableMapping" | "MutableSequence" | "Generator" => {
                let part = if matches!(word, "Generator") {
                    parts.first()
                } else {
                    parts.last()
                };
                let inner = part.map_or(RETURNS, |part| self.annotation(part));
                let instance = self.slot();
                self.emit(
                    range,
                    Action::Declare {
                        to: instance,
                        annotation: inner,
                    },
                );
                let items = vec![(crate::facts::Key::Any, instance)];
                self.collected(range, items, Vec::new())
            }
            "Callable" | "Literal" | "Type" | "type" | "Awaitable" | "Coroutine" => self.slot(),
            _ => self.expression(&item.value),
        }
    }

    /// `Annotated[X, Depends(function)]` is `X`, and what is made of a callable beside it; or of nothing,
    /// as in `Depends()`.
    fn with_metadata(&mut self, range: TextRange, parts: &[&Expr]) -> Slot {
        let Some((first, rest)) = parts.split_first() else {
            return RETURNS;
        };
        let class = self.annotation(first);
        let takes_callable = |part: &&&Expr| match part {
            Expr::Call(call) => match call.arguments.args.first() {
                Some(first) => matches!(first, Expr::Name(_) | Expr::Attribute(_)),
                None => call.arguments.keywords.is_empty(),
            },
            _ => false,
        };
        let rest: Vec<&&Expr> = rest.iter().filter(takes_callable).collect();
        if rest.is_empty() {
            return class;
        }
        let to = self.slot();
        self.emit(range, Action::Copy { to, from: class });
        for part in rest {
            let from = self.expression(part);
            self.emit(range, Action::Copy { to, from });
        }
        to
    }

    /// Lowers what was parsed from a quoted annotation; its places are not places of the file.
    fn moved(&mut self, expression: &Expr, range: TextRange) -> Slot {
        let first = self.frame().operations.len();
        let slot = self.annotation(expression);
        let at = span_of(range);
        for operation in &mut self.frame().operations[first..] {
            operation.span = at;
        }
        slot
    }
}

fn receiver(function: &StmtFunctionDef) -> Receiver {
    let decorated = |wanted: &str| {
        function
            .decorator_list
            .iter()
            .any(|decorator| match &decorator.expression {
                Expr::Name(name) => name.id.as_str() == wanted,
                Expr::Attribute(attribute) => attribute.attr.as_str() == wanted,
                _ => false,
            })
    };
    match function.name.as_str() {
        "__new__" | "__init_subclass__" | "__class_getitem__" => Receiver::Class,
        _ if decorated("classmethod") || decorated("validator") => Receiver::Class,
        _ if decorated("staticmethod") => Receiver::Nothing,
        _ => Receiver::Object,
    }
}
