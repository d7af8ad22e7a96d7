source("common.R")
suppressMessages(library(metafor))

e <- function(...) { d <- eval(substitute(escalc(...)), parent.frame()); d <- d[is.finite(d$yi) & is.finite(d$vi), ]; data.frame(y = as.numeric(d$yi), v = as.numeric(d$vi)) }
given <- function(d) { d <- d[is.finite(d$yi) & is.finite(d$vi), ]; data.frame(y = as.numeric(d$yi), v = as.numeric(d$vi)) }
sets <- list(
  bcg_rr = e("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg),
  bcg_or = e("OR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg),
  bcg_rd = e("RD", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg),
  collins1985b = e("OR", ai = pre.xti, n1i = pre.nti, ci = pre.xci, n2i = pre.nci, data = dat.collins1985b),
  hackshaw1998 = given(dat.hackshaw1998),
  hine1989 = e("RD", n1i = n1i, n2i = n2i, ai = ai, ci = ci, data = dat.hine1989),
  li2007 = e("OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.li2007),
  linde2005 = e("RR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.linde2005),
  molloy2014 = e("ZCOR", ri = ri, ni = ni, data = dat.molloy2014),
  mcdaniel1994 = e("ZCOR", ri = ri, ni = ni, data = dat.mcdaniel1994),
  normand1999 = e("MD", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i, data = dat.normand1999),
  raudenbush1985 = given(dat.raudenbush1985),
  bangertdrowns2004 = given(dat.bangertdrowns2004),
  nielweise2007 = e("OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.nielweise2007),
  lee2004 = e("RR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.lee2004),
  damico2009 = e("OR", ai = xt, n1i = nt, ci = xc, n2i = nc, data = dat.damico2009),
  curtis1998 = e("ROM", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i, data = dat.curtis1998),
  gibson2002 = e("SMD", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i, data = dat.gibson2002),
  pritz1997 = e("PLO", xi = xi, ni = ni, data = dat.pritz1997),
  bcg_first_3 = e("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg[1:3, ]),
  bcg_first_2 = e("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg[1:2, ]),
  bcg_4_and_8 = e("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg[c(4, 8), ]),
  pignon2000 = local({ d <- dat.pignon2000; data.frame(y = d$OmE / d$V, v = 1 / d$V) }))

# metafor's defaults stop where tau2 moves less than 1e-5 and, under PM and in confint, at 1.2e-4: everything is run to the end here.
control <- list(threshold = 1e-14, tol = 1e-15, maxiter = 100000)
fit <- function(d, method, test) {
  run <- function(step) rma(yi = d$y, vi = d$v, method = method, test = test, control = c(control, stepadj = step))
  suppressWarnings(tryCatch(run(1), error = function(e) run(0.5)))
}
rows <- list()
for (name in names(sets)) for (method in c("FE", "DL", "PM", "REML", "ML", "EB", "SJ", "HE")) for (test in c("z", "knha", "adhoc")) {
  d <- sets[[name]]; m <- fit(d, method, test); pi <- predict(m)
  tau2 <- if (method == "FE") c(NA, NA) else confint(m, control = list(tol = 1e-15, tau2.max = max(1e4, 1e6 * m$tau2)))$random[1, 2:3]
  rows[[length(rows) + 1]] <- data.frame(set = name, k = m$k, method = method, ci = c(z = "Wald", knha = "HKSJ", adhoc = "HKSJ-adhoc")[[test]],
    estimate = c(m$beta), se = m$se, low = m$ci.lb, high = m$ci.ub, p = m$pval, tau2 = m$tau2, tau2_low = tau2[[1]], tau2_high = tau2[[2]], i2 = m$I2, h2 = m$H2,
    q = m$QE, q_p = m$QEp, pi_low = if (method == "FE") NA else pi$pi.lb, pi_high = if (method == "FE") NA else pi$pi.ub, weight_1 = weights(m)[[1]])
}
pin(do.call(rbind, rows), "pool.csv", c("metafor", "metadat"))
data <- do.call(rbind, lapply(names(sets), function(name) data.frame(set = name, sets[[name]])))
pin(data, "pool_data.csv", c("metafor", "metadat"))

influence <- list()
for (name in c("bcg_rr", "li2007", "hackshaw1998", "raudenbush1985")) {
  d <- sets[[name]]; m <- fit(d, "REML", "knha"); k <- m$k
  out <- suppressWarnings(leave1out(m)); years <- (seq_len(k) * 7) %% (k + 2)
  so_far <- function(j) fit(d[order(years)[seq_len(j)], ], "REML", if (j == 1) "z" else "knha")
  sums <- lapply(seq_len(k), so_far); e <- regtest(m, model = "lm", predictor = "sei")
  influence[[name]] <- data.frame(set = name, study = seq_len(k), order = years, out_estimate = out$estimate, out_se = out$se, out_tau2 = out$tau2,
    cumulative_estimate = sapply(sums, function(s) c(s$beta)), cumulative_se = sapply(sums, function(s) s$se),
    egger_slope = coef(summary(e$fit))[2, 1], egger_se = coef(summary(e$fit))[2, 2], egger_limit = e$est, egger_t = e$zval, egger_p = e$pval)
}
pin(do.call(rbind, influence), "influence.csv", c("metafor", "metadat"))
