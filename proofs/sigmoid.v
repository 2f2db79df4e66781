(* Depth never widens the explosion set of the sigmoid.

   For every chain of one or more sigmoid neurons, whatever its weights and biases, and for all inputs x and y,

     |f'(x)| |f'(y)| (x − y)² ≤ K²,   K = s / cosh² s,   s > 0 the solution of s tanh s = 1/2.

   So the inputs at which |f'| > c lie within K/c of each other, K = 0.4477…: this is the bound for a single neuron. For tanh it
   is 2K. The inner layers drop out by the two-point inequality; for the last one, with d = |q − p|,
   √(σ'(p) σ'(q)) = 1/(4 cosh(p/2) cosh(q/2)) ≤ 1/(4 cosh²(d/4)), and u/cosh² u is greatest where u tanh u = 1/2. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n activations.
Import ListNotations.
Open Scope R_scope.

(* The number s. *)

Lemma tanh_increasing p q : p < q -> tanh p < tanh q.
Proof.
  apply (increases tanh cosh).
  - intros z. rewrite <- tanh_slope. apply tanh_derive.
  - apply cosh_pos.
Qed.

Lemma tanh_0 : tanh 0 = 0.
Proof. unfold tanh. rewrite sinh_0. unfold Rdiv. ring. Qed.

Lemma z_tanh_increasing p q : 0 <= p < q -> p * tanh p < q * tanh q.
Proof.
  intros [P Q]. pose proof (tanh_increasing p q Q). pose proof (tanh_increasing 0 q ltac:(lra)) as T.
  assert (0 <= tanh p) by (rewrite <- tanh_0; destruct P as [P | <-]; [left; now apply tanh_increasing | lra]).
  rewrite tanh_0 in T. nra.
Qed.

Lemma half_below_tanh_1 : / 2 < 1 * tanh 1.
Proof.
  pose proof (exp_ineq1 2 ltac:(lra)) as E. replace 2 with (1 + 1) in E at 2 by ring. rewrite exp_plus in E.
  pose proof (exp_pos 1) as P. unfold tanh, sinh, cosh. rewrite exp_Ropp.
  replace (1 * ((exp 1 - / exp 1) / 2 / ((exp 1 + / exp 1) / 2)))
    with ((exp 1 * exp 1 - 1) / (exp 1 * exp 1 + 1)) by (field; nra).
  apply (Rmult_lt_reg_r (exp 1 * exp 1 + 1)); [nra |]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by nra. lra.
Qed.

Lemma s_exists : {s : R | 0 <= s <= 1 /\ s * tanh s - / 2 = 0}.
Proof.
  apply (IVT (fun z => z * tanh z - / 2)).
  - intros z. apply derivable_continuous_pt. exists (tanh z + z * (1 - tanh z ^ 2)). apply is_derive_Reals.
    evar_last.
    + apply @is_derive_minus; [| apply @is_derive_const].
      apply (is_derive_mult (fun z => z) tanh z 1 (1 - tanh z ^ 2)); [apply @is_derive_id | apply tanh_derive |].
      intros; apply Rmult_comm.
    + unfold minus, plus, opp, zero, mult; simpl. ring.
  - lra.
  - rewrite Rmult_0_l. lra.
  - pose proof half_below_tanh_1. lra.
Qed.

Definition s : R := proj1_sig s_exists.

Lemma s_equation : s * tanh s = / 2.
Proof. destruct (proj2_sig s_exists) as [_ E]. fold s in E. lra. Qed.

Lemma s_positive : 0 < s.
Proof.
  destruct (proj2_sig s_exists) as [[[P | Z] _] _]; fold s in *; [exact P |].
  pose proof s_equation as E. rewrite <- Z, Rmult_0_l in E. lra.
Qed.

Theorem s_unique z : 0 < z /\ z * tanh z = / 2 <-> z = s.
Proof.
  pose proof s_positive as P. pose proof s_equation as E. split.
  - intros [Z Ez]. destruct (Rtotal_order z s) as [L | [Q | L]]; [| exact Q |].
    + pose proof (z_tanh_increasing z s ltac:(lra)). lra.
    + pose proof (z_tanh_increasing s z ltac:(lra)). lra.
  - intros ->. auto.
Qed.

(* The constant K = s / cosh² s, the greatest value of u / cosh² u. *)

Definition K : R := s / cosh s ^ 2.

Lemma K_positive : 0 < K.
Proof. apply Rdiv_lt_0_compat; [apply s_positive | apply pow_lt, cosh_pos]. Qed.

Lemma s_by_K : s = K * cosh s ^ 2.
Proof. unfold K. pose proof (cosh_pos s). field. lra. Qed.

(* The parabola-like cosh² lies above its tangents. *)
Lemma cosh_squared_above_tangents t z : cosh t ^ 2 + 2 * cosh t * sinh t * (z - t) <= cosh z ^ 2.
Proof.
  pose proof (exp_above_tangents (2 * t) (2 * z)) as A. pose proof (exp_above_tangents (- (2 * t)) (- (2 * z))) as B.
  assert (C : forall x, cosh x ^ 2 = (exp (2 * x) + exp (- (2 * x)) + 2) / 4).
  { intros x. unfold cosh. replace (2 * x) with (x + x) by ring. rewrite Ropp_plus_distr, !exp_plus, exp_Ropp.
    pose proof (exp_pos x). field. lra. }
  assert (S : cosh t * sinh t = (exp (2 * t) - exp (- (2 * t))) / 4).
  { unfold cosh, sinh. replace (2 * t) with (t + t) by ring. rewrite Ropp_plus_distr, !exp_plus. field. }
  rewrite !C, (Rmult_assoc 2), S. lra.
Qed.

Theorem K_is_the_greatest u : u <= K * cosh u ^ 2.
Proof.
  pose proof (Rmult_le_compat_l K _ _ (Rlt_le _ _ K_positive) (cosh_squared_above_tangents s u)) as T.
  assert (E : K * (2 * cosh s * sinh s) = 1).
  { pose proof s_equation as E. unfold tanh in E. pose proof (cosh_pos s).
    replace (K * (2 * cosh s * sinh s)) with (2 * (s * (sinh s / cosh s))) by (unfold K; field; lra). lra. }
  rewrite Rmult_plus_distr_l, <- s_by_K, <- Rmult_assoc, E in T. lra.
Qed.

(* The last layer. *)

Lemma cosh_product p q : cosh ((q - p) / 2) ^ 2 <= cosh p * cosh q.
Proof.
  unfold cosh. replace ((q - p) / 2) with (q / 2 + - (p / 2)) by field.
  replace (exp p) with (exp (p / 2) ^ 2) by (simpl; rewrite Rmult_1_r, <- exp_plus; f_equal; field).
  replace (exp q) with (exp (q / 2) ^ 2) by (simpl; rewrite Rmult_1_r, <- exp_plus; f_equal; field).
  replace (exp (- p)) with (/ exp (p / 2) ^ 2)
    by (rewrite exp_Ropp; f_equal; simpl; rewrite Rmult_1_r, <- exp_plus; f_equal; field).
  replace (exp (- q)) with (/ exp (q / 2) ^ 2)
    by (rewrite exp_Ropp; f_equal; simpl; rewrite Rmult_1_r, <- exp_plus; f_equal; field).
  replace (- (q / 2 + - (p / 2))) with (p / 2 + - (q / 2)) by ring. rewrite !exp_plus, !exp_Ropp.
  pose proof (exp_pos (p / 2)). pose proof (exp_pos (q / 2)).
  set (a := exp (p / 2)) in *. set (b := exp (q / 2)) in *.
  pose proof (pow2_ge_0 (a * b - / (a * b))).
  replace ((a ^ 2 + / a ^ 2) / 2 * ((b ^ 2 + / b ^ 2) / 2))
    with (((b * / a + a * / b) / 2) ^ 2 + (a * b - / (a * b)) ^ 2 / 4) by (field; lra). lra.
Qed.

Theorem sigmoid_pair_bound : pair_bound (slope sigmoid) K.
Proof.
  intros p q. rewrite !Rabs_pos_eq by (left; apply class_N_slope_positive, sigmoid_class_N).
  rewrite !sigmoid_slope.
  pose proof (cosh_product (p / 2) (q / 2)) as C. replace ((q / 2 - p / 2) / 2) with ((q - p) / 4) in C by field.
  pose proof (K_is_the_greatest ((q - p) / 4)) as U. pose proof (K_is_the_greatest (- ((q - p) / 4))) as V.
  rewrite cosh_even in V. pose proof K_positive as HK.
  pose proof (cosh_pos (p / 2)). pose proof (cosh_pos (q / 2)).
  set (a := cosh (p / 2)) in *. set (b := cosh (q / 2)) in *.
  replace (/ (2 * a) ^ 2 * / (2 * b) ^ 2 * (q - p) ^ 2) with (((q - p) / 4 / (a * b)) ^ 2) by (field; lra).
  assert (P : 0 < a * b) by nra.
  assert (K * cosh ((q - p) / 4) ^ 2 <= K * (a * b)) by (apply Rmult_le_compat_l; lra).
  apply pow_maj_Rabs, Rabs_le. unfold Rdiv at 1 3.
  split; apply (Rmult_le_reg_r _ _ _ P); rewrite Rmult_assoc, Rinv_l; lra.
Qed.

(* The theorem. *)

Theorem depth_never_widens parameters x y :
  parameters <> [] -> let f' := gradient (uniform sigmoid parameters) in Rabs (f' x) * Rabs (f' y) * (x - y) ^ 2 <= K ^ 2.
Proof.
  intros N f'. replace ((x - y) ^ 2) with ((y - x) ^ 2) by ring.
  apply uniform_chain_bound; [apply class_N_two_point, sigmoid_class_N | apply sigmoid_pair_bound | exact N].
Qed.

Corollary explosion_width parameters c x y :
  parameters <> [] -> let f' := gradient (uniform sigmoid parameters) in
  0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) < K / c.
Proof.
  intros N f'. apply width_of_pair_bound; [apply K_positive |].
  intros p q. replace ((q - p) ^ 2) with ((p - q) ^ 2) by ring. now apply depth_never_widens.
Qed.

(* The inner activations may be any of class N: the last one decides. *)
Theorem sigmoid_last inner w b : Forall (fun l => class_N (act l)) inner ->
  pair_bound (gradient (inner ++ [Layer sigmoid w b])) K.
Proof.
  intros N. apply last_layer_bounds_chain; [| apply sigmoid_pair_bound].
  revert N. apply Forall_impl. intros l. apply class_N_two_point.
Qed.

(* tanh. *)

Theorem tanh_pair_bound : pair_bound (slope hyperbolic_tangent) (2 * K).
Proof.
  intros p q. rewrite !tanh_slope_sigmoid, !Rabs_mult, (Rabs_pos_eq 4) by lra.
  pose proof (sigmoid_pair_bound (2 * p) (2 * q)). simpl pow in *. lra.
Qed.

Theorem tanh_depth_never_widens parameters x y :
  parameters <> [] -> let f' := gradient (uniform hyperbolic_tangent parameters) in
  Rabs (f' x) * Rabs (f' y) * (x - y) ^ 2 <= (2 * K) ^ 2.
Proof.
  intros N f'. replace ((x - y) ^ 2) with ((y - x) ^ 2) by ring.
  apply uniform_chain_bound; [apply class_N_two_point, hyperbolic_tangent_class_N | apply tanh_pair_bound | exact N].
Qed.

Corollary tanh_explosion_width parameters c x y :
  parameters <> [] -> let f' := gradient (uniform hyperbolic_tangent parameters) in
  0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) < 2 * K / c.
Proof.
  intros N f'. apply width_of_pair_bound; [pose proof K_positive; lra |].
  intros p q. replace ((q - p) ^ 2) with ((p - q) ^ 2) by ring. now apply tanh_depth_never_widens.
Qed.
