"""How a served model bears load: real texts sent at a rate or by so many callers, and what became of each request."""
