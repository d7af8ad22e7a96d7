source("common.R")
suppressMessages({ library(metafor); library(jsonlite) })

g <- function(t) { e <- outer(rowSums(t), colSums(t)) / sum(t); 2 * sum(ifelse(t == 0, 0, t * log(t / e))) }
rxc <- list(
  job = rbind(c(1, 2, 1, 0), c(3, 3, 6, 1), c(10, 10, 14, 9), c(6, 7, 12, 11)),
  four_arms = rbind(c(50, 10), c(40, 20), c(45, 15), c(30, 30)), ages = rbind(c(20, 5, 8), c(10, 15, 9), c(12, 7, 20), c(9, 9, 9)),
  sparse = rbind(c(3, 0, 1, 2, 0), c(1, 4, 2, 0, 3), c(0, 2, 5, 1, 1), c(2, 2, 0, 4, 2)), large = rbind(c(150, 100, 80), c(100, 140, 90)),
  three = rbind(c(10, 12, 9, 14), c(20, 8, 9, 3), c(5, 15, 12, 9)), tied = rbind(c(4, 4, 4), c(4, 4, 4), c(4, 4, 4)),
  rare = rbind(c(0, 15), c(1, 14), c(0, 16), c(3, 10)), two = rbind(c(3, 1), c(1, 3)), wide = rbind(c(2, 3, 0, 1, 4, 1, 2), c(1, 0, 3, 2, 0, 2, 1)),
  diagonal = rbind(c(8, 0, 0), c(0, 7, 0), c(0, 0, 6)), hair = HairEyeColor[, , "Female"][1:3, 2:4])
tests <- lapply(rxc, function(t) {
  x <- suppressWarnings(chisq.test(t, correct = FALSE)); s <- g(t); df <- unname(x$parameter)
  list(table = unname(unclass(t)), pearson = unname(x$statistic), df = df, pearson_p = x$p.value, g = s, g_p = pchisq(s, df, lower.tail = FALSE),
    exact_p = fisher.test(t, workspace = 2e8)$p.value)
})

trends <- lapply(list(
  smokers = list(x = c(83, 90, 129, 70), n = c(86, 93, 136, 82), s = 0:3), doses = list(x = c(2, 5, 9, 14), n = c(20, 21, 19, 22), s = c(0, 2.5, 5, 7.5)),
  rare = list(x = c(0, 1, 0, 3), n = c(15, 15, 16, 13), s = 0:3), falling = list(x = c(14, 9, 5), n = c(22, 19, 21), s = c(1, 2, 4))),
  function(d) { t <- prop.trend.test(d$x, d$n, d$s); c(d, list(statistic = unname(t$statistic), p = t$p.value)) })

from_arms <- function(d) Map(function(a, b, c, d) rbind(c(a, b), c(c, d)), d[[1]], d[[2]], d[[3]], d[[4]])
strata <- list(
  bcg = from_arms(dat.bcg[c("tpos", "tneg", "cpos", "cneg")]),
  admissions = lapply(1:6, function(i) unname(unclass(UCBAdmissions[, , i]))),
  rabbits = list(rbind(c(0, 6), c(0, 5)), rbind(c(3, 3), c(0, 6)), rbind(c(6, 0), c(2, 4)), rbind(c(5, 1), c(6, 0)), rbind(c(2, 0), c(5, 0))),
  rare = with(dat.nielweise2007, from_arms(data.frame(ai, n1i - ai, ci, n2i - ci))),
  halves = list(rbind(c(12, 28), c(7, 33)), rbind(c(20, 15), c(15, 25))))
mantel <- lapply(strata, function(s) {
  a <- simplify2array(s); storage.mode(a) <- "double"; keep <- apply(a, 3, sum) > 1; cmh <- function(correct) {
    t <- mantelhaen.test(a[, , keep], correct = correct); list(statistic = unname(t$statistic), p = t$p.value) }
  fit <- function(measure) {
    m <- rma.mh(measure = measure, ai = a[1, 1, ], bi = a[1, 2, ], ci = a[2, 1, ], di = a[2, 2, ], add = 0, drop00 = FALSE)
    back <- if (measure == "RD") identity else exp
    list(estimate = back(unname(c(m$beta))), low = back(m$ci.lb), high = back(m$ci.ub), se = m$se, p = m$pval, bd = m$BD, bd_p = m$BDp, ta = m$TA, ta_p = m$TAp)
  }
  measures <- c("OR", "RR", "RD")
  p <- rma.peto(ai = a[1, 1, ], bi = a[1, 2, ], ci = a[2, 1, ], di = a[2, 2, ], add = 0, drop00 = FALSE)
  peto <- list(estimate = exp(unname(c(p$beta))), low = exp(p$ci.lb), high = exp(p$ci.ub), se = p$se, p = p$pval)
  list(tables = s, peto = peto, plain = cmh(FALSE), continuity = cmh(TRUE), effects = setNames(lapply(measures, fit), measures))
})
writeLines(toJSON(list(versions = versions(c("metafor", "metadat")), tests = tests, trends = trends, strata = mantel), digits = NA, auto_unbox = TRUE, na = "null", pretty = FALSE), "tables.json")
