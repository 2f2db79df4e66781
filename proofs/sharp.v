(* The bound K/c is sharp at every depth.

   For every depth L ≥ 1, threshold c > 0 and ε > 0 some chain of L sigmoid neurons has two inputs more than K/c − ε apart, at both of
   which |f'| > c. At depth 1: with u = 2s the slopes at u and −u are equal and 2u σ'(u) = K, so the weight (c/σ'(u))(1 + δ) will do.
   For more layers: a layer whose weight w is small is nearly affine. Put it in front of the chain and undo it in the next layer's
   weight and bias: the input x then enters as A(x) = (σ(wx + z) − σ(z)) / (w σ'(z)), which tends to x as w → 0, with slope tending
   to 1. So the gradients at the same two inputs tend to what they were. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n activations sigmoid.
Import ListNotations.
Open Scope R_scope.

(* Chains of depth L come arbitrarily close to the width k/c. *)
Definition attains (a : activation) (L : nat) (k : R) := forall c eps, 0 < c -> 0 < eps ->
  exists parameters x y, length parameters = L /\
    let f' := gradient (uniform a parameters) in c < Rabs (f' x) /\ c < Rabs (f' y) /\ k / c - eps < Rabs (x - y).

(* One neuron, where the slopes at u and −u are equal: the width is 2u/w for a weight w a little above c/σ'(u). *)
Lemma one_neuron_attains a u :
  0 < u -> 0 < slope a u -> slope a (- u) = slope a u -> attains a 1 (2 * u * slope a u).
Proof.
  intros U S E c eps C P. set (r := slope a u) in *. set (k := 2 * u * r).
  assert (HK : 0 < k) by (unfold k; repeat apply Rmult_lt_0_compat; lra).
  assert (Hd : 0 < eps * c / k) by (apply Rdiv_lt_0_compat; [nra | exact HK]).
  set (d := eps * c / k) in *. set (w := c / r * (1 + d)).
  assert (W : 0 < w) by (apply Rmult_lt_0_compat; [now apply Rdiv_lt_0_compat | lra]).
  assert (G : w * r = c * (1 + d)) by (unfold w; field; lra).
  exists [(w, 0)], (u / w), (- u / w). split; [reflexivity |]. cbv [gradient uniform map fst snd neuron_slope preactivation].
  cbv [act weight bias]. rewrite !Rmult_1_l, !Rplus_0_r.
  replace (w * (u / w)) with u by (field; lra). replace (w * (- u / w)) with (- u) by (field; lra).
  rewrite E. fold r. rewrite G, Rabs_pos_eq by nra.
  split; [nra | split; [nra |]].
  replace (u / w - - u / w) with (k / c / (1 + d)) by (unfold k, w; field; repeat split; lra).
  rewrite Rabs_pos_eq by (apply Rlt_le, Rdiv_lt_0_compat; [now apply Rdiv_lt_0_compat | lra]).
  replace eps with (k / c * d) by (unfold d; field; lra).
  assert (Q : 0 < k / c) by now apply Rdiv_lt_0_compat.
  apply (Rmult_lt_reg_r (1 + d)); [lra |].
  replace (k / c / (1 + d) * (1 + d)) with (k / c) by (field; lra).
  assert (0 < k / c * (d * d)) by (apply Rmult_lt_0_compat; [exact Q | nra]). lra.
Qed.

(* Limits as the weight w tends to 0. *)

Lemma difference_quotient (f : R -> R) d :
  is_derive f 0 d -> filterlim (fun h => (f h - f 0) / h) (locally' 0) (locally d).
Proof.
  intros D P [eps HP]. apply is_derive_Reals in D. destruct (D eps (cond_pos eps)) as [delta H].
  exists delta. intros h B N. apply HP.
  unfold ball in *; simpl in *; unfold AbsRing_ball, abs, minus, plus, opp in *; simpl in *.
  specialize (H h N ltac:(replace h with (h + - 0) by ring; exact B)). now rewrite Rplus_0_l in H.
Qed.

Lemma locally'_of_continuous (f : R -> R) : continuous f 0 -> filterlim f (locally' 0) (locally (f 0)).
Proof. apply filterlim_filter_le_1. intros P [d H]. exists d. intros y B _. now apply H. Qed.

(* The nearly affine layer, put right. *)
Definition near_identity (a : activation) (z w x : R) := (value a (w * x + z) - value a z) / (w * slope a z).

Lemma near_identity_limit a z x :
  slope a z <> 0 -> filterlim (fun w => near_identity a z w x) (locally' 0) (locally x).
Proof.
  intros S.
  apply (filterlim_ext_loc (fun w => (value a (w * x + z) - value a (0 * x + z)) / w * / slope a z)).
  { exists (mkposreal 1 Rlt_0_1). intros w _ W. unfold near_identity. rewrite Rmult_0_l, Rplus_0_l. field. auto. }
  apply (filterlim_comp _ _ _ (fun w => (value a (w * x + z) - value a (0 * x + z)) / w) (fun q => q * / slope a z)
           _ (locally (slope a z * x))).
  - apply (difference_quotient (fun w => value a (w * x + z))).
    rewrite Rmult_comm. apply (is_derive_comp (value a) (fun w => w * x + z)).
    + rewrite Rmult_0_l, Rplus_0_l. apply slope_is_derivative.
    + auto_derive; [exact I | ring].
  - replace x with (slope a z * x * / slope a z) at 2 by (field; exact S).
    apply (continuous_of_derivative (fun q => q * / slope a z) _ (/ slope a z)). auto_derive; [exact I | ring].
Qed.

Lemma near_identity_slope_limit a z x : slope a z <> 0 -> (forall z, continuous (slope a) z) ->
  filterlim (fun w => slope a (w * x + z) / slope a z) (locally' 0) (locally 1).
Proof.
  intros S C.
  replace 1 with (slope a (0 * x + z) / slope a z) by (rewrite Rmult_0_l, Rplus_0_l; field; exact S).
  apply (locally'_of_continuous (fun w => slope a (w * x + z) / slope a z)).
  apply (continuous_comp (fun w => w * x + z) (fun y => slope a y / slope a z)).
  - apply (continuous_of_derivative _ _ x). auto_derive; [exact I | ring].
  - apply (@continuous_mult _ R_AbsRing (slope a) (fun _ => / slope a z)); [apply C | apply continuous_const].
Qed.

Lemma near_identity_gradient_limit (g : R -> R) a z x :
  slope a z <> 0 -> (forall z, continuous (slope a) z) -> continuous g x ->
  filterlim (fun w => g (near_identity a z w x) * (slope a (w * x + z) / slope a z)) (locally' 0) (locally (g x)).
Proof.
  intros S C G. rewrite <- (Rmult_1_r (g x)).
  apply (filterlim_comp_2 (G := locally (g x)) (H := locally 1) _ _ Rmult).
  - apply (filterlim_comp _ _ _ _ g _ (locally x)); [now apply near_identity_limit | exact G].
  - now apply near_identity_slope_limit.
  - apply (@filterlim_mult R_AbsRing (g x) 1).
Qed.

Lemma eventually_above (h : R -> R) (F : (R -> Prop) -> Prop) (l c : R) :
  Filter F -> filterlim h F (locally l) -> c < Rabs l -> F (fun w => c < Rabs (h w)).
Proof.
  intros FF H L. apply (H (fun y => c < Rabs y)).
  apply (continuous_Rabs l). exists (mkposreal (Rabs l - c) ltac:(lra)). intros y B.
  unfold ball in B; simpl in B; unfold AbsRing_ball, abs, minus, plus, opp in B; simpl in B.
  apply Rabs_def2 in B. lra.
Qed.

Lemma insert_near_affine_layer a z l rest c x y :
  slope a z <> 0 -> (forall z, continuous (slope a) z) ->
  Forall (fun l => forall z, continuous (slope (act l)) z) (l :: rest) ->
  c < Rabs (gradient (l :: rest) x) -> c < Rabs (gradient (l :: rest) y) ->
  exists w v b, let chain := Layer a w z :: Layer (act l) v b :: rest in
    c < Rabs (gradient chain x) /\ c < Rabs (gradient chain y).
Proof.
  intros S C Cs X Y. set (g := gradient (l :: rest)) in *.
  pose proof (fun x => near_identity_gradient_limit g a z x S C (gradient_continuous _ Cs x)) as Lim.
  assert (E : locally' 0 (fun w => w <> 0)) by (exists (mkposreal 1 Rlt_0_1); auto).
  pose proof (eventually_above _ _ _ _ _ (Lim x) X) as EX. pose proof (eventually_above _ _ _ _ _ (Lim y) Y) as EY.
  destruct (filter_ex (F := Rbar_locally' 0) _ (filter_and _ _ E (filter_and _ _ EX EY))) as [w [W [WX WY]]].
  exists w, (weight l / (w * slope a z)), (bias l - weight l / (w * slope a z) * value a z).
  assert (G : forall x, gradient (Layer a w z :: Layer (act l) (weight l / (w * slope a z))
    (bias l - weight l / (w * slope a z) * value a z) :: rest) x
    = g (near_identity a z w x) * (slope a (w * x + z) / slope a z)).
  { intros t. unfold g. cbn [gradient]. unfold neuron, neuron_slope, preactivation, near_identity. cbn [act weight bias].
    replace (weight l / (w * slope a z) * value a (w * t + z) + (bias l - weight l / (w * slope a z) * value a z))
      with (weight l * ((value a (w * t + z) - value a z) / (w * slope a z)) + bias l) by (field; auto).
    field. auto. }
  cbv zeta. rewrite !G. auto.
Qed.

Theorem deeper_attains a z L k : slope a z <> 0 -> (forall z, continuous (slope a) z) ->
  attains a (S L) k -> attains a (S (S L)) k.
Proof.
  intros S C A c eps Hc He. destruct (A c eps Hc He) as (parameters & x & y & N & X & Y & D).
  destruct parameters as [| p rest]; [discriminate |].
  destruct (insert_near_affine_layer a z (Layer a (fst p) (snd p)) (uniform a rest) c x y S C) as (w & v & b & X' & Y').
  - apply (Forall_uniform (fun a => forall z, continuous (slope a) z) a (p :: rest) C).
  - exact X.
  - exact Y.
  - exists ((w, z) :: (v, b) :: rest), x, y. split; [simpl in *; lia |]. auto.
Qed.

Theorem attains_at_every_depth a z L0 L k : slope a z <> 0 -> (forall z, continuous (slope a) z) ->
  attains a (S L0) k -> (S L0 <= L)%nat -> attains a L k.
Proof.
  intros S C A. induction 1 as [| L Le IH]; [exact A |].
  destruct L as [| L]; [lia |]. now apply (deeper_attains a z).
Qed.

Theorem width_is_sharp L : (1 <= L)%nat -> attains sigmoid L K.
Proof.
  pose proof s_positive. pose proof (cosh_pos s).
  assert (E : slope sigmoid (2 * s) = / (2 * cosh s) ^ 2) by (rewrite sigmoid_slope; do 4 f_equal; field).
  assert (P : forall z, 0 < slope sigmoid z) by (intros; apply class_N_slope_positive, sigmoid_class_N).
  apply (attains_at_every_depth sigmoid 0 0); [apply Rgt_not_eq, P | apply sigmoid_slope_continuous |].
  replace K with (2 * (2 * s) * slope sigmoid (2 * s)) by (rewrite E; unfold K; field; lra).
  apply one_neuron_attains; [lra | apply P |].
  rewrite !sigmoid_slope. replace (- (2 * s) / 2) with (- (2 * s / 2)) by field. now rewrite cosh_even.
Qed.

Theorem tanh_width_is_sharp L : (1 <= L)%nat -> attains hyperbolic_tangent L (2 * K).
Proof.
  pose proof s_positive. pose proof (cosh_pos s).
  assert (E : forall z, slope hyperbolic_tangent z = / cosh z ^ 2) by apply tanh_slope.
  assert (P : forall z, 0 < slope hyperbolic_tangent z)
    by (intros; apply class_N_slope_positive, hyperbolic_tangent_class_N).
  apply (attains_at_every_depth hyperbolic_tangent 0 0); [apply Rgt_not_eq, P | apply hyperbolic_tangent_slope_continuous |].
  replace (2 * K) with (2 * s * slope hyperbolic_tangent s) by (rewrite E; unfold K; field; lra).
  apply one_neuron_attains; [lra | apply P |]. now rewrite !E, cosh_even.
Qed.

(* So the constant of depth_never_widens is the least there is, at every depth. *)
Theorem K_cannot_be_lowered L k : (1 <= L)%nat -> 0 <= k < K ->
  exists parameters x y, length parameters = L /\
    let f' := gradient (uniform sigmoid parameters) in k ^ 2 < Rabs (f' x) * Rabs (f' y) * (x - y) ^ 2.
Proof.
  intros HL Hk. destruct (width_is_sharp L HL 1 (K - k) Rlt_0_1 ltac:(lra)) as (parameters & x & y & N & X & Y & D).
  exists parameters, x, y. split; [exact N |]. cbv zeta.
  set (u := Rabs (gradient _ x)) in *. set (v := Rabs (gradient _ y)) in *.
  replace (K / 1 - (K - k)) with k in D by field. rewrite <- (pow2_abs (x - y)). set (d := Rabs (x - y)) in *.
  assert (P : 1 < u * v) by nra. assert (Q : k ^ 2 < d ^ 2) by nra. nra.
Qed.
