source("common.R")
suppressMessages({ library(metafor); library(lme4); library(numDeriv) })

sets <- list(
  pritz1997 = with(dat.pritz1997, data.frame(x = xi, n = ni)),
  debruin2009 = with(dat.debruin2009, data.frame(x = xi, n = ni)),
  hannum2020 = with(dat.hannum2020, data.frame(x = xi, n = ni)),
  bcg_control = with(dat.bcg, data.frame(x = cpos, n = cpos + cneg)),
  bcg_treated = with(dat.bcg, data.frame(x = tpos, n = tpos + tneg)),
  nielweise_treated = with(dat.nielweise2007, data.frame(x = ai, n = n1i)),
  nielweise_control = with(dat.nielweise2007, data.frame(x = ci, n = n2i)),
  damico_treated = with(dat.damico2009, data.frame(x = xt, n = nt)),
  li_control = with(dat.li2007, data.frame(x = ci, n = n2i)),
  collins_treated = with(dat.collins1985b, data.frame(x = pre.xti, n = pre.nti)),
  hine_control = with(dat.hine1989, data.frame(x = ci, n = n2i)),
  alike = data.frame(x = c(5, 6, 4, 5), n = c(20, 24, 16, 20)),
  small_zero = data.frame(x = c(0, 1, 0, 3), n = c(15, 15, 16, 13)),
  small_full = data.frame(x = c(12, 9, 7), n = c(12, 10, 8)),
  two = data.frame(x = c(7, 17), n = c(32, 30)))

# Each study's integral by the trapezoid rule over a fine even grid around its own mode: for a smooth integrand that dies out
# at both ends this is exact to rounding, and shares nothing with Gauss-Hermite.
grid <- seq(-14, 14, length.out = 3001)
minus <- function(theta, d) {
  each <- mapply(function(x, n) {
    peak <- optimize(function(z) dbinom(x, n, plogis(theta[1] + theta[2] * z), log = TRUE) - z^2 / 2, c(-15, 15), maximum = TRUE, tol = 1e-9)$maximum
    p <- plogis(theta[1] + theta[2] * peak); scale <- 1 / sqrt(1 + theta[2]^2 * n * p * (1 - p)); z <- peak + scale * grid
    f <- dbinom(x, n, plogis(theta[1] + theta[2] * z), log = TRUE) + dnorm(z, log = TRUE)
    max(f) + log(sum(exp(f - max(f)))) + log(scale * diff(grid[1:2]))
  }, d$x, d$n)
  -sum(each)
}
rows <- list()
for (name in names(sets)) {
  d <- sets[[name]]; d <- d[complete.cases(d), ]
  m <- tryCatch(suppressWarnings(suppressMessages(rma.glmm(measure = "PLO", xi = x, ni = n, data = d))),
    error = function(e) { message(name, ": rma.glmm cannot fit its saturated model"); list(beta = NA, se = NA, tau2 = NA) })
  start <- if (is.na(m$tau2)) c(mean(qlogis((d$x + 0.5) / (d$n + 1))), 0.5) else c(c(m$beta), max(sqrt(m$tau2), 0.05))
  o <- optim(start, minus, d = d, method = "BFGS", control = list(reltol = 1e-16, maxit = 1000))
  for (i in 1:3) { g <- grad(minus, o$par, d = d); h <- hessian(minus, o$par, d = d); o$par <- o$par - solve(h, g) }
  flat <- abs(o$par[2]) < 1e-3
  mu <- if (flat) qlogis(sum(d$x) / sum(d$n)) else o$par[1]
  se <- if (flat) 1 / sqrt(sum(d$n) * plogis(mu) * (1 - plogis(mu))) else sqrt(solve(hessian(minus, o$par, d = d))[1, 1])
  l <- suppressWarnings(rma(measure = "PLO", xi = x, ni = n, data = d, control = list(threshold = 1e-14, maxiter = 100000)))
  rows[[length(rows) + 1]] <- data.frame(set = name, k = nrow(d), mean = mu, se = se, tau2 = if (flat) 0 else o$par[2]^2,
    glmer_mean = c(m$beta), glmer_se = m$se, glmer_tau2 = m$tau2, logit_mean = c(l$beta), logit_low = l$ci.lb, logit_high = l$ci.ub, logit_tau2 = l$tau2)
}
pin(do.call(rbind, rows), "glmm.csv", c("metafor", "lme4", "numDeriv", "metadat"))
data <- do.call(rbind, lapply(names(sets), function(name) data.frame(set = name, sets[[name]][complete.cases(sets[[name]]), ])))
pin(data, "glmm_data.csv", "metadat")
