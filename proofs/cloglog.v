(* Depth widens the explosion set of cloglog 1 − exp(−exp z), though its slope is log-concave: the slope is not even.

   One neuron has c·width < 0.4592. All sufficiently deep chains come above 0.4876, and none above 0.48762: here
   H = (2/e) max h/cosh h = 0.487619…. For one neuron, of two slopes at p and q = p + d the smaller is at most their weighted mean
   σ'(p)^(2/3) σ'(q)^(1/3), whose greatest value over p is 3 exp(d/3 − 1)/(2 + exp d). *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n activations sharp log_concave limit.
Import ListNotations.
Open Scope R_scope.

Lemma cloglog_derive z : is_derive (fun z => 1 - exp (- exp z)) z (exp (z - exp z)).
Proof. auto_derive; [exact I |]. unfold Rminus. rewrite exp_plus. ring. Qed.

Definition cloglog : activation := Activation _ _ cloglog_derive.

Lemma cloglog_slope_log_concave : log_concave (slope cloglog).
Proof.
  split; [intros z; apply exp_pos |]. apply (convex_ext (fun z => exp (1 * z) + - 1 * z)).
  - intros z. cbv [slope cloglog]. rewrite ln_exp, Rmult_1_l. ring.
  - apply convex_plus; [apply exp_convex |]. intros x t y _. right. ring.
Qed.

Lemma cloglog_class_N : class_N cloglog.
Proof. apply log_concave_class_N, cloglog_slope_log_concave. Qed.

Lemma below_exp t : t * exp (- t) <= exp (- 1).
Proof.
  pose proof (exp_ineq1_le (t - 1)) as E. replace (- 1) with ((t - 1) + - t) by ring. rewrite exp_plus.
  apply Rmult_le_compat_r; [left; apply exp_pos | lra].
Qed.

(* One neuron. *)

Lemma one_neuron_curve d : 0 <= d -> d * (3 * exp (d / 3 - 1)) < 0.4592 * (2 + exp d).
Proof.
  intros H. destruct (Rle_dec d 24) as [L | L].
  - apply Rminus_lt. interval with (i_bisect d, i_taylor d, i_degree 10, i_prec 60, i_depth 40).
  - (* exp d = exp(d/3) exp(2d/3) ≥ exp(d/3) (1 + d/3)² *)
    replace (exp d) with (exp (d / 3) * (exp (d / 3) * exp (d / 3))) by (rewrite <- !exp_plus; f_equal; field).
    unfold Rminus. rewrite exp_plus. pose proof (exp_ineq1_le (d / 3)) as E. pose proof (exp_pos (d / 3)) as P.
    assert (B : exp (- (1)) < 0.4) by interval with (i_prec 60). pose proof (exp_pos (- (1))) as Q.
    set (u := exp (d / 3)) in *. assert (F : (1 + d / 3) * (1 + d / 3) <= u * u) by nra.
    assert (G : 3 * d * exp (- (1)) < 0.4592 * (u * u)) by (apply Rlt_trans with (3 * d * 0.4); nra).
    apply (Rmult_lt_compat_l _ _ _ P) in G. lra.
Qed.

Lemma smaller_slope p q c : p <= q -> 0 < c -> c < slope cloglog p -> c < slope cloglog q ->
  c * (q - p) < 0.4592.
Proof.
  intros L C P Q. cbv [slope cloglog] in *. set (d := q - p). assert (D : 0 <= d) by (unfold d; lra).
  set (B := 2 + exp d). assert (HB : 0 < B) by (unfold B; pose proof (exp_pos d); lra).
  (* the mean exponent, with t = exp p · B/3 *)
  set (t := exp p * B / 3).
  assert (E : c < exp (p - t + d / 3)).
  { assert (M : (2 * (p - exp p) + (q - exp q)) / 3 = p - t + d / 3).
    { unfold t, B. replace q with (p + d) by (unfold d; ring). rewrite exp_plus. field. }
    rewrite <- M. destruct (Rle_dec (p - exp p) (q - exp q)) as [A | A].
    - apply Rlt_le_trans with (1 := P), exp_le. lra.
    - apply Rlt_le_trans with (1 := Q), exp_le. lra. }
  assert (F : exp (p - t + d / 3) * B <= 3 * exp (d / 3 - 1)).
  { pose proof (below_exp t) as T. unfold Rminus. rewrite !exp_plus.
    replace (exp p * exp (- t) * exp (d / 3) * B) with (3 * exp (d / 3) * (t * exp (- t))) by (unfold t; field).
    replace (3 * (exp (d / 3) * exp (- (1)))) with (3 * exp (d / 3) * exp (- 1)) by (replace (- (1)) with (- 1) by ring; ring).
    apply Rmult_le_compat_l; [pose proof (exp_pos (d / 3)); lra | exact T]. }
  pose proof (one_neuron_curve d D) as G. fold B in G.
  apply (Rmult_lt_reg_r B); [exact HB |].
  apply Rle_lt_trans with (2 := G).
  replace (c * d * B) with (d * (c * B)) by ring. apply Rmult_le_compat_l; [exact D |].
  apply Rle_trans with (2 := F). apply Rmult_le_compat_r; lra.
Qed.

Theorem cloglog_neuron_width w b c x y :
  let f' := gradient (uniform cloglog [(w, b)]) in
  0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) < 0.4592 / c.
Proof.
  intros f' C. unfold f'. cbv [gradient uniform map fst snd neuron_slope preactivation act weight bias].
  rewrite !Rmult_1_l, !Rabs_mult.
  assert (P : forall z, 0 < slope cloglog z) by (intros; apply exp_pos). rewrite !(Rabs_pos_eq (slope cloglog _)) by (left; apply P).
  intros X Y. set (p := w * x + b) in *. set (q := w * y + b) in *.
  assert (W : 0 < Rabs w).
  { pose proof (Rabs_pos w) as [W | W]; [exact W |]. rewrite <- W in X. lra. }
  assert (E : forall z, c < Rabs w * slope cloglog z -> c / Rabs w < slope cloglog z).
  { intros z H. apply (Rmult_lt_reg_l (Rabs w)); [exact W |]. replace (Rabs w * (c / Rabs w)) with c by (field; lra). exact H. }
  apply E in X. apply E in Y. assert (C' : 0 < c / Rabs w) by now apply Rdiv_lt_0_compat.
  assert (D : c / Rabs w * Rabs (p - q) < 0.4592).
  { destruct (Rle_dec p q) as [L | L].
    - rewrite Rabs_minus_sym, (Rabs_pos_eq (q - p)) by lra. now apply smaller_slope.
    - rewrite (Rabs_pos_eq (p - q)) by lra. apply smaller_slope; [lra | exact C' | exact Y | exact X]. }
  replace (p - q) with (w * (x - y)) in D by (unfold p, q; ring). rewrite Rabs_mult in D.
  apply (Rmult_lt_reg_l c); [exact C |]. replace (c * (0.4592 / c)) with 0.4592 by (field; lra).
  replace (c * Rabs (x - y)) with (c / Rabs w * (Rabs w * Rabs (x - y))) by (field; lra). exact D.
Qed.

(* Every depth. *)

Lemma cosh_curve h : 0 <= h -> 2 * h * exp (- 1) <= 0.48762 * ((exp h + exp (- h)) / 2).
Proof.
  intros H. destruct (Rle_dec h 12) as [L | L].
  - apply Rminus_le. interval with (i_bisect h, i_taylor h, i_degree 10, i_prec 60, i_depth 40).
  - assert (B : exp (- 1) < 0.4) by interval with (i_prec 60). pose proof (exp_pos (- h)). pose proof (exp_ineq1_le (h / 2)) as E.
    replace (exp h) with (exp (h / 2) * exp (h / 2)) by (rewrite <- exp_plus; f_equal; field).
    pose proof (exp_pos (h / 2)). set (u := exp (h / 2)) in *.
    assert ((1 + h / 2) * (1 + h / 2) <= u * u) by nra. nra.
Qed.

Theorem cloglog_pair_bound : pair_bound (slope cloglog) 0.48762.
Proof.
  apply pair_bound_iff; [intros; apply exp_pos | lra |]. intros p q L. cbv [slope cloglog].
  set (m := (p + q) / 2). set (h := (q - p) / 2). assert (Hh : 0 <= h) by (unfold h; lra).
  set (C := (exp h + exp (- h)) / 2). assert (HC : 0 < C) by (unfold C; pose proof (exp_pos h); pose proof (exp_pos (- h)); lra).
  assert (S : sqrt (exp (p - exp p) * exp (q - exp q)) = exp (m - exp m * C)).
  { rewrite <- exp_plus. replace (p - exp p + (q - exp q)) with ((m - exp m * C) + (m - exp m * C)).
    - rewrite exp_plus. apply sqrt_square. left. apply exp_pos.
    - unfold C. replace p with (m + - h) by (unfold m, h; field). replace q with (m + h) by (unfold m, h; field).
      rewrite !exp_plus. field. }
  rewrite S. replace (q - p) with (2 * h) by (unfold h; field).
  apply (Rmult_le_reg_r C); [exact HC |].
  apply Rle_trans with (2 * h * exp (- 1)); [| now apply cosh_curve].
  unfold Rminus. rewrite exp_plus.
  replace (2 * h * (exp m * exp (- (exp m * C))) * C) with (2 * h * (exp m * C * exp (- (exp m * C)))) by ring.
  apply Rmult_le_compat_l; [lra | apply below_exp].
Qed.

Theorem cloglog_explosion_width parameters c x y :
  parameters <> [] -> let f' := gradient (uniform cloglog parameters) in
  0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) < 0.48762 / c.
Proof.
  intros N f'. apply width_of_pair_bound; [lra |].
  apply uniform_chain_bound; [apply class_N_two_point, cloglog_class_N | apply cloglog_pair_bound | exact N].
Qed.

Theorem cloglog_widens : exists L0, forall L, (L0 <= L)%nat -> attains cloglog L 0.4876.
Proof.
  apply (deep_chains_attain cloglog) with (z := 1) (curvature := (1 - exp 1) * exp (1 - exp 1)) (p := - 1.793) (q := 0.606).
  - intros z. apply exp_pos.
  - intros z. cbv [slope cloglog]. eapply continuous_of_derivative. auto_derive; [exact I | reflexivity].
  - cbv [slope cloglog]. auto_derive; [exact I | unfold Rminus; ring].
  - apply Rlt_not_eq. interval with (i_prec 60).
  - lra.
  - lra.
  - cbv [slope cloglog]. interval with (i_prec 60).
Qed.
